"""Why a file or a line is refused, and what to do about it, in both languages. `{…}` are the facts of the refusal."""

from __future__ import annotations

from collections.abc import Mapping

from marketplace.core.bulk.cells import Reason
from marketplace.core.text import Text


def _reason(why_zh: str, why_en: str, remedy_zh: str, remedy_en: str) -> Reason:
    return Reason(Text(why_zh, why_en), Text(remedy_zh, remedy_en))


LINE_REASONS: Mapping[str, Reason] = {
    "missing": _reason("必填，但这里是空的", "Required, but blank", "补上内容", "Fill it in"),
    "too_long": _reason(
        "超过 {most} 个字", "Longer than {most} characters", "缩短到 {most} 个字以内", "Shorten it to {most} characters"
    ),
    "stored_as_number": _reason(
        "表格把它存成了数字或日期，可能已丢失开头的 0 或末尾几位",
        "The spreadsheet stored it as a number or a date: zeros at its beginning or its last digits may be lost",
        "把整列设为“文本”格式，重新填写原来的号码",
        "Format the whole column as text and enter the original again",
    ),
    "formula_without_value": _reason(
        "是公式，文件里没有它的结果",
        "A formula whose result is not in the file",
        "在表格里选择“粘贴为数值”，再保存",
        "Paste it as a value and save again",
    ),
    "spreadsheet_error": _reason(
        "表格在这里显示错误（如 #N/A）",
        "The spreadsheet shows an error here, such as #N/A",
        "改正后填入实际内容",
        "Correct it and enter what belongs there",
    ),
    "not_a_choice": _reason(
        "不是可填的内容",
        "Not one of the possible values",
        "填写模板说明里列出的内容之一",
        "Use one of the values that the template lists",
    ),
    "not_yes_or_no": _reason("不是“是”或“否”", "Neither yes nor no", "填“是”或“否”", "Write yes or no"),
    "not_a_whole_number": _reason("不是整数", "Not a whole number", "只填数字", "Write digits only"),
    "too_small": _reason("小于 {least}", "Less than {least}", "填 {least} 或更大的数", "Write {least} or more"),
    "too_large": _reason("大于 {most}", "More than {most}", "填 {most} 或更小的数", "Write {most} or less"),
    "not_a_date": _reason(
        "看不出是哪一天",
        "Not a date that can be read for sure",
        "按年-月-日写，如 2026-02-28",
        "Write year-month-day, such as 2026-02-28",
    ),
    "no_such_day": _reason(
        "日历上没有这一天",
        "There is no such day",
        "核对月和日，如 2026-02-28",
        "Check month and day, such as 2026-02-28",
    ),
    "doubled": _reason(
        "与第 {line} 行是同一条",
        "The same as line {line}",
        "只留一行，内容以最新的为准",
        "Keep one of the two, the newer one",
    ),
    "too_many_cells": _reason(
        "这一行的格数比标题行多，内容可能错位",
        "More cells than the header has: its contents may stand in the wrong columns",
        "检查多出的分隔符；含逗号的内容加上引号",
        "Look for a separator too many; put quotes around a text with a comma in it",
    ),
    "busy": _reason(
        "数据正被占用，多次尝试未成功",
        "Something else kept these data busy, several times",
        "稍后用有误的行重新上传",
        "Upload the refused lines again later",
    ),
    "broken": _reason(
        "系统出错，这一行没有写入",
        "An error of ours; nothing of this line was written",
        "稍后用有误的行重新上传；仍不行请联系技术支持",
        "Upload the refused lines again later; if it stays so, tell your technical support",
    ),
    "refused": _reason(
        "内容不符合规定", "Against the rules for these data", "核对这一行的内容", "Check what stands in this line"
    ),
}
"""Reasons that any subject's line may have; a kind adds its own."""

FILE_REASONS: Mapping[str, Reason] = {
    "empty": _reason("文件是空的", "The file is empty", "选择有内容的文件", "Choose a file with something in it"),
    "too_large": _reason(
        "文件超过 {most} MB", "The file is larger than {most} MB", "分成几个文件上传", "Split it into several files"
    ),
    "wrong_type": _reason(
        "不是 CSV 或 XLSX 文件", "Neither CSV nor XLSX", "在表格软件里另存为 XLSX 或 CSV", "Save it as XLSX or CSV"
    ),
    "old_format": _reason("是旧的 XLS 格式", "The old XLS format", "在表格软件里另存为 XLSX", "Save it as XLSX"),
    "xlsb": _reason("是二进制的 XLSB 格式", "The binary XLSB format", "在表格软件里另存为 XLSX", "Save it as XLSX"),
    "encrypted": _reason(
        "文件设有密码",
        "The file is protected by a password",
        "去掉密码后再上传",
        "Remove the password and upload it again",
    ),
    "macros": _reason(
        "文件含有宏", "The file contains macros", "另存为不含宏的 XLSX", "Save it as XLSX without macros"
    ),
    "zip_broken": _reason(
        "文件已损坏",
        "The file is damaged",
        "在表格软件里打开并重新保存",
        "Open it in a spreadsheet program and save it again",
    ),
    "zip_bomb": _reason(
        "展开后过大，可能有恶意",
        "Far too large once unpacked; it may be hostile",
        "只复制有内容的单元格到新文件",
        "Copy only the cells with something in them into a new file",
    ),
    "xml_entities": _reason(
        "含有不允许的 XML 内容",
        "It contains XML that is not allowed",
        "在表格软件里重新另存为 XLSX",
        "Save it again as XLSX",
    ),
    "xlsx_broken": _reason(
        "表格无法读取",
        "The spreadsheet can't be read",
        "在表格软件里打开并重新保存",
        "Open it in a spreadsheet program and save it again",
    ),
    "several_sheets": _reason(
        "有内容的工作表不止一张（共 {sheets} 张，含隐藏的）",
        "More than one sheet has something in it ({sheets}, hidden ones too)",
        "只留要导入的那一张",
        "Keep only the one to import",
    ),
    "merged_cells": _reason(
        "{cell} 处有合并单元格",
        "Cells are merged at {cell}",
        "取消合并，每格填上内容",
        "Unmerge them and fill each cell",
    ),
    "formulas": _reason(
        "含有没有结果的公式",
        "It has formulas without results",
        "全选后粘贴为数值，再保存",
        "Paste everything as values and save again",
    ),
    "no_lines": _reason(
        "只有标题行或没有内容",
        "No line besides the header",
        "在标题行下面填写要导入的行",
        "Fill in lines below the header",
    ),
    "no_header": _reason(
        "第 {line} 行应是标题行，但中间有空格",
        "Line {line} should be the header, but has a blank cell",
        "下载模板，照标题行填写",
        "Use the header of the template",
    ),
    "too_many_lines": _reason(
        "超过 {most} 行", "More than {most} lines", "分成几个文件上传", "Split it into several files"
    ),
    "too_many_columns": _reason(
        "第 {line} 行超过 {most} 列",
        "Line {line} has more than {most} columns",
        "删去多余的列",
        "Remove columns that don't belong there",
    ),
    "cell_too_long": _reason(
        "第 {line} 行有一格超过 {most} 个字；也可能是引号没有成对",
        "A cell of line {line} has more than {most} characters; perhaps a quote is not closed",
        "缩短内容，检查引号",
        "Shorten it and check the quotes",
    ),
    "csv_broken": _reason(
        "第 {line} 行的引号没有成对",
        "A quote in line {line} is not closed or stands alone",
        "检查那一行的引号，或改用 XLSX",
        "Check the quotes of that line, or use XLSX",
    ),
    "encoding": _reason(
        "文字编码无法识别",
        "Its character encoding is not known",
        "另存为“CSV UTF-8”或 XLSX",
        "Save it as “CSV UTF-8” or XLSX",
    ),
    "binary": _reason("不是文本文件", "Not a text file", "在表格软件里另存为 XLSX 或 CSV", "Save it as XLSX or CSV"),
    "doubled_column": _reason(
        "“{column}”这一列出现了两次", "The column “{column}” is there twice", "只留一列", "Keep one of them"
    ),
    "missing_columns": _reason(
        "缺少这些列：{columns}",
        "These columns are missing: {columns}",
        "下载模板，照标题行填写",
        "Use the header of the template",
    ),
    "too_costly": _reason(
        "读取这个文件花费过多",
        "Reading this file takes too much",
        "只复制有内容的单元格到新文件，或分成几个文件",
        "Copy only the cells with something in them into a new file, or split it",
    ),
    "unreadable": _reason(
        "文件无法读取",
        "The file can't be read",
        "在表格软件里打开并另存为 XLSX",
        "Open it in a spreadsheet program and save it as XLSX",
    ),
}
"""Reasons for which a file is refused as a whole."""
