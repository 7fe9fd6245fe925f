"""A finding in sentences is told only where its wording leaves no doubt; a healthy one is never called abnormal."""

from __future__ import annotations

import pytest

from booking.reports.reading.sentences import sentence_of
from tests.booking.reports.grading import readings

NORMAL = (
    "窦性心律，正常心电图",
    "肝、胆、胰、脾、双肾未见明显异常",
    "未见结节、肿块及积液",
    "双肺纹理清晰，心影大小形态正常，未见活动性病变",
    "甲状腺大小、形态正常，回声均匀，未见结节",
    "肿瘤标志物正常",
    "No focal consolidation, effusion or pneumothorax. Heart size normal.",
    "皮肤、淋巴结、甲状腺、脊柱四肢未见异常",
    "双乳未见明显异常 BI-RADS 1类",
    "各项指标均在正常范围内",
    "咽部无充血",
    "No suspicious lesions",
    "No acute infarct, hemorrhage or mass",
    "无黄染及水肿",
    "Regular rhythm, no murmurs, rubs or gallops",
)
ABNORMAL = (
    "窦性心律，不正常心电图：ST-T改变",
    "窦性心律不齐",
    "脂肪肝（轻度）；胆囊、胰、脾未见异常",
    "右叶结节，TI-RADS 3类",
    "Atrial fibrillation with rapid ventricular response",
    "Right lower lobe consolidation. No pleural effusion.",
    "肝脏未见异常，胆囊结石",
    "心内结构未见异常，左室舒张功能减低",
    "胆囊大小正常，壁毛糙",
    "双肺纹理增粗",
    "颅内出血",
    "屈光不正",
    "甲状腺回声不均匀",
    "双侧上颌窦炎",
    "LBBB",
    "包块表面光滑",
    "意识不清",
    "咯血",
    "视乳头水肿",
    "左室壁节段性运动异常",
    "考虑脑出血",
    "右肺上叶恶性病变可能性大",
    "建议尽快到专科门诊就诊",
    "Suspicious for malignancy",
    "Seek immediate medical attention",
    "Free air under the diaphragm",
    "Enhancing lesion in left frontal lobe",
    "Mild airflow obstruction",
)
LEFT_TO_THE_READER = (
    "胆囊未显示",
    "未见好转",
    "尚未正常",
    "脂肪肝已消失",
    "右肺结节切除术后",
    "不能除外结节",
    "可能正常",
    "肝右叶似见稍高回声，是否为血管瘤待定",
    "无脂肪肝",
    "血压高于正常",
    "略低于正常",
    "接近正常",
    "血脂外均正常",
    "Barely within normal limits",
    "右肾未探及，左肾正常",
    "脂肪肝：无",
    "心律不齐 无",
    "Gallstones: none",
    "不考虑结核",
    "排除肺癌",
    "肺癌可能性小",
    "如有不适，建议立即就诊",
    "Findings not suspicious for malignancy",
    "Low suspicion for malignancy",
    "Seek immediate medical attention if symptoms worsen",
    "No urgent referral required",
    "肺扩张良好",
    "焦虑自评 35分 无焦虑",
    "未见异常、结节",
    "部分指标在正常范围",
    "其余指标均在正常范围内",
    "咽部无充血，扁桃体不大，淋巴结肿大待查",
    "未行颅内出血评估",
    "骨髓增生活跃",
    "炎症因子",
    "Trace tricuspid regurgitation",
    "甲状腺未见结节，脂肪肝",
    "肝脏形态不正常",
    "肝回声欠均匀",
    "结节较前增大",
    "Lungs are not clear",
    "No longer normal",
    "No lungs clear",
    "Previous pneumonia, lungs clear",
    "Possible nodule",
)


@pytest.mark.parametrize("text", NORMAL)
def test_a_healthy_persons_findings_are_normal(text: str) -> None:
    assert sentence_of(text) == "normal"


@pytest.mark.parametrize("text", ABNORMAL)
def test_what_no_healthy_person_has_is_abnormal(text: str) -> None:
    assert sentence_of(text) == "abnormal"


@pytest.mark.parametrize("text", LEFT_TO_THE_READER)
def test_what_denies_or_leaves_open_is_not_told(text: str) -> None:
    assert sentence_of(text) == ""


@pytest.mark.parametrize(
    ("name", "value"),
    (("家族史", "父亲 肺癌"), ("手术史", "阑尾炎手术"), ("Past history", "Pneumonia 2015"), ("既往史", "脂肪肝")),
)
def test_what_the_person_told_of_the_past_is_no_finding(name: str, value: str) -> None:
    row = {"name": name, "value": value, "unit": "", "range": "", "mark": "", "shape": "text"}
    assert [one.judged for one in readings({**row, "sex": "female", "age": 40})] == [""]
