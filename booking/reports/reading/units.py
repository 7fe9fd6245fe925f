"""Spellings of units in reports, and the UCUM unit (ucum.org, version 2.2) of each."""

from __future__ import annotations

import unicodedata

_SPELLINGS: dict[str, tuple[str, ...]] = {
    "%": ("%", "percent"),
    "1": ("1", "ratio", "比值", "index"),
    "[pH]": ("[ph]", "ph"),
    "/min": ("/min", "次/分", "次/分钟", "bpm", "beats/min", "次/min"),
    "/uL": ("/ul", "个/ul", "cells/ul", "/mm3", "1/ul"),
    "/nL": ("/nl",),
    "/[HPF]": ("/[hpf]", "/hpf", "/hp", "个/hpf", "个/hp", "cells/hpf", "个/高倍视野"),
    "10*3/uL": ("10*3/ul", "k/ul", "千/ul", "10*3/mm3"),
    "10*6/uL": ("10*6/ul", "m/ul", "10*6/mm3"),
    "10*6/L": ("10*6/l",),
    "10*9/L": ("10*9/l", "g/l(10*9)", "gpt/l"),
    "10*12/L": ("10*12/l", "t/l", "tpt/l"),
    "cm": ("cm", "厘米", "公分"),
    "m": ("m", "米"),
    "kg": ("kg", "公斤", "千克"),
    "g": ("g", "克"),
    "[in_i]": ("[in_i]", "in", "inch"),
    "[lb_av]": ("[lb_av]", "lb", "lbs"),
    "kg/m2": ("kg/m2", "kg/m*2"),
    "mm[Hg]": ("mm[hg]", "mmhg", "毫米汞柱"),
    "kPa": ("kpa",),
    "L/L": ("l/l",),
    "fL": ("fl",),
    "um3": ("um3", "um*3"),
    "pg": ("pg",),
    "fmol": ("fmol",),
    "mm/h": ("mm/h", "mm/hr", "mm/1h", "mm/小时"),
    "g/L": ("g/l", "克/升"),
    "g/dL": ("g/dl", "g/100ml", "g%"),
    "mg/L": ("mg/l",),
    "mg/dL": ("mg/dl", "mg/100ml", "mg%"),
    "ug/L": ("ug/l", "mcg/l"),
    "ug/dL": ("ug/dl", "mcg/dl"),
    "ug/mL": ("ug/ml", "mcg/ml"),
    "ng/mL": ("ng/ml",),
    "mg/L{FEU}": ("mg/l{feu}", "mg/lfeu", "mgfeu/l", "mg/l(feu)", "mg{feu}/l"),
    "ug/mL{FEU}": ("ug/ml{feu}", "ug/mlfeu", "ugfeu/ml", "ug/ml(feu)", "ug{feu}/ml"),
    "ug/L{FEU}": ("ug/l{feu}", "ug/lfeu", "ugfeu/l", "ug/l(feu)", "ug{feu}/l"),
    "ng/mL{FEU}": ("ng/ml{feu}", "ng/mlfeu", "ngfeu/ml", "ng/ml(feu)", "ng{feu}/ml"),
    "mg/L{DDU}": ("mg/l{ddu}", "mg/lddu", "mgddu/l", "mg/l(ddu)", "mg{ddu}/l"),
    "ug/mL{DDU}": ("ug/ml{ddu}", "ug/mlddu", "ugddu/ml", "ug/ml(ddu)", "ug{ddu}/ml"),
    "ug/L{DDU}": ("ug/l{ddu}", "ug/lddu", "ugddu/l", "ug/l(ddu)", "ug{ddu}/l"),
    "ng/mL{DDU}": ("ng/ml{ddu}", "ng/mlddu", "ngddu/ml", "ng/ml(ddu)", "ng{ddu}/ml"),
    "ng/dL": ("ng/dl",),
    "ng/L": ("ng/l",),
    "pg/mL": ("pg/ml",),
    "mol/L": ("mol/l",),
    "mmol/L": ("mmol/l", "毫摩尔/升"),
    "umol/L": ("umol/l", "微摩尔/升", "mcmol/l"),
    "nmol/L": ("nmol/l",),
    "pmol/L": ("pmol/l",),
    "mmol/mol": ("mmol/mol",),
    "meq/L": ("meq/l",),
    "U/L": ("u/l", "iu/l", "[iu]/l", "单位/升"),
    "kU/L": ("ku/l", "u/ml(k)"),
    "U/mL": ("u/ml",),
    "[IU]/mL": ("[iu]/ml", "iu/ml"),
    "k[IU]/L": ("k[iu]/l", "kiu/l"),
    "m[IU]/L": ("m[iu]/l", "miu/l", "mu/l"),
    "m[IU]/mL": ("m[iu]/ml", "miu/ml", "mu/ml"),
    "s": ("s", "sec", "秒"),
    "u[IU]/mL": ("u[iu]/ml", "uiu/ml", "uu/ml"),
    "mg/g": ("mg/g", "mg/gcr"),
    "mg/mmol": ("mg/mmol", "mg/mmolcr"),
    "mL/min/{1.73_m2}": ("ml/min/{1.73_m2}", "ml/min/1.73m2", "ml/(min*1.73m2)", "ml/min*1.73m2", "ml/min/1.73m*2"),
}

_RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_SUPERSCRIPTS = str.maketrans(_RAISED, "0123456789")


def _fold(text: str) -> str:
    """One spelling of the same unit: no blanks, small letters, `u` for micro, `10*9` for all ways to write a power."""
    raised = ""
    for before, char in zip(" " + text, text, strict=False):
        superscript = char in _RAISED
        raised += "*" if superscript and before not in _RAISED else ""
        raised += char.translate(_SUPERSCRIPTS) if superscript else char
    folded = "".join(unicodedata.normalize("NFKC", raised).casefold().split())
    for wrong, right in (("μ", "u"), ("µ", "u"), ("∧", "*"), ("^", "*"), ("**", "*"), ("×", "x"), ("·", "*")):
        folded = folded.replace(wrong, right)
    for start in ("x10", "*10"):
        if folded.startswith(start):
            folded = folded[1:]
    if folded.startswith("10e"):
        folded = "10*" + folded[3:].lstrip("+")
    for power in ("12", "9", "6", "3"):
        if folded.startswith(f"10{power}/"):
            folded = f"10*{power}" + folded[2 + len(power) :]
    return folded


_KNOWN = {_fold(spelling): unit for unit, spellings in _SPELLINGS.items() for spelling in (unit, *spellings)}


_PER_LITRE = {"/uL": 1e6, "/nL": 1e9, "10*3/uL": 1e9, "10*6/uL": 1e12, "10*6/L": 1e6, "10*9/L": 1e9, "10*12/L": 1e12}


def per_litre(spelling: str) -> float | None:
    """How many in a litre one of a unit of counts is; None for any other unit."""
    return _PER_LITRE.get(ucum(spelling))


def ucum(spelling: str) -> str:
    """The UCUM unit that a report's spelling means: `×10⁹/L` is `10*9/L`; blank for an unknown one."""
    return _KNOWN.get(_fold(spelling), "")
