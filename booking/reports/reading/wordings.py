"""The wordings that findings in sentences are read by: a healthy person's, and what no healthy person has."""

from __future__ import annotations

import re


def _any(words: str) -> str:
    """A pattern for any of these words; `_` stands for a blank."""
    return "(?:" + "|".join(words.split()).replace("_", " ") + ")"


def _longest_first(words: str) -> str:
    """A pattern for any of these words that takes `异常密度影` for one and not for `异常` with something behind it."""
    return _any(" ".join(sorted(words.split(), key=len, reverse=True)))


OPEN = re.compile(
    _any(
        r"""
        既往 病史 术后 切除 消失 缩小 愈 恢复 治疗 家族 复查 复诊 随访 建议 除 可能 疑 似 待定 是否 待查 考虑 较前
        对比 好转 吸收 余 其余 \? history previous prior family follow compar suspect suspicio possible probabl
        exclude rule_out cannot suggest recommend status_post resect remov excis heal treated resolved unchanged
        otherwise risk screening? 风险 筛查
        """
    )
)
"""Words that leave a question open, or speak of another time: nothing is told of a text with one."""
DENIED = re.compile(
    "未|无|没有|不|非(?!萎缩|典型|对称|特异)|阴性|否认"
    "|(?<![a-z])(?:no|not|without|negative|absent|free|denie[sd]|non|nor|neither)(?![a-z])"
)
NO_DENIAL = re.compile(
    _any(
        """
        不正常心电图 心律不齐 供血不足 关闭不全 屈光不正 功能不全 骨折不愈 发育不[良全] 递增不良 咬合不良 牙列不齐
        意识不清
        回声不均匀? 密度不均匀? 非特异性 非萎缩性
        non-?(?:proliferative|obstructing|specific) suspicious_(?=nodule|mass|lesion|abnormality)
        free_(?:intraperitoneal_)?(?:air|gas|fluid)
        """
    )
)
"""What sounds like a denial or an open question, and is none."""
ROUTINE = re.compile(r"[,;。](?:建议)?(?:每年|定期|年度|常规)(?:健康)?(?:复查|体检)(?=$|[。;])")
"""Advice that everybody gets, and that leaves nothing open."""

_THING = _longest_first(
    """
    异常 病变 活动性病变 实质性病变 占位(?:性病变)? 结节 肿大 肿块 包块 肿物 积液 积气 增厚 增生 扩张 囊肿 肌瘤 息肉
    息肉样病变 钙化 曲张 糜烂 出血 出血灶 出血点 梗[死塞]灶 结石 压痛 反跳痛 叩击痛 (?:病理性)?杂音 (?:干湿性?)?啰音
    肿大淋巴结 淋巴结肿大 畸形 渗出 破裂 狭窄 血栓 斑块 反流 骨折 脱位 上皮内病变(?:细胞)? 恶性病变(?:细胞)?
    恶性肿瘤 恶性(?:病变)?细胞 癌细胞 溃疡 异常声像(?:图)? 异常回声 异常信号 异常密度影 水肿 瘀斑 皮疹 黄染
    实变影 斑片影 结节影 肿块影 结石影 异常肿大淋巴结 阳性体征 阳性发现 器质性病变 骨质破坏 骨质异常 新生物 异物 充血
    积水 梗阻 脱垂 赘生物 静脉曲张 出血征象 缺血征象 异常血流(?:信号)? 分流 异常分流
    """
)
_THINGS = rf"{_THING}(?:(?:及|或|和|、|与){_THING})*"
_NONE = rf"(?:未见|未发现|未触及|未扪及|未闻及|未探及|未及|无)(?:明显|显著|明确|确切)?{_THINGS}"
_ILLS = _any(
    """
    infarct(?:ion)?s? consolidation effusion pneumothorax mass(?:es)? nodules? abnormalit(?:y|ies) lesions? disease
    calculi
    stones?
    gallstones? murmurs? rubs? gallops? tenderness adenopathy lymphadenopathy fractures? infiltrates?
    arrhythmias?
    st(?:-t)?(?:_segment)?_changes? ischa?emia ha?emorrhage polyps? cysts? hydronephrosis malignan(?:cy|t_cells)
    opacit(?:y|ies) o?edema pneumonia fluid thrombus retinopathy process findings? midline_shift stenos[ie]s
    thrombos[ie]s dvt emboli(?:sm)? dislocations? dissection aneurysms? obstruction perforation
    """
)
_KINDS = _any(
    """
    acute focal significant obvious pleural active abnormal palpable pericardial cardiopulmonary suspicious
    pulmonary cardiac valve valvular intracranial diabetic bony osseous intraluminal gross hepatic deep_vein
    pulmonary_arterial intra-abdominal
    """
)
NOTHING_ILL = re.compile(
    rf"no (?:evidence of )?(?:{_KINDS} ){{0,3}}{_ILLS}(?: (?:or|and) (?:{_KINDS} )?{_ILLS})*"
    r"(?: (?:(?:is|are|was|were) )?(?:identified|seen|detected|noted|present|found|demonstrated|visuali[sz]ed))?"
    r"|negative(?: for (?:intraepithelial lesions?|malignan(?:cy|t cells)|fracture|abnormality|acute disease"
    r"|ischa?emia|dvt|thrombosis)"
    r"(?:(?: or|,| and) (?:malignancy|malignant cells|dislocation))?)?(?: ?\(nilm\))?"
)

_ASPECT = _any("大小 形态 位置 结构 回声 轮廓 边界 包膜 比例")
_PART = _any(
    """
    lung_fields? lungs heart heart_size bone_density bone_mineral_density uterus ovaries liver gall_?bladder
    pancreas spleen kidneys bladder prostate thyroid breasts aorta ventricles sinuses colon ca?ecum stomach
    o?esophagus fundi retina cornea size echotexture contour lv_size_and_function
    (?:systolic_|lv_systolic_|lv_)?function mediastinum cardiac_silhouette
    """
)
HEALTHY = re.compile(
    "|".join(
        (
            rf"[\u4e00-\u9fffa-z0-9/()-]{{0,20}}?(?:均|皆|亦)?{_NONE}(?:\(nilm\))?",
            rf"[\u4e00-\u9fff/()]{{0,16}}?{_ASPECT}{{1,3}}均?(?:正常|规则|完整|清晰|均匀)",
            r"[\u4e00-\u9fff]{1,8}均?正常",
            r"[\u4e00-\u9fff-]{1,12}(?:不厚|不大|不宽|不粗|不扩张|未增厚|未增宽|未增大|未扩张|无扩张|无增厚|无移位|无增宽)",
            r"[\u4e00-\u9fff]{0,10}(?:光滑|光整|完整|对称|居中|通畅|规整|锐利|柔软|红润|充盈良好|搏动良好|闭合良好|血流通畅|显示清晰)",
            r"[\u4e00-\u9fff]{1,12}?(?:均|都)?在正常(?:值|参考)?范围(?:之?内)?",
            "正常" + _any("骨密度 超声心动图 脑电图 眼底 听力 胸片 骨量 视野"),
            _any(
                """
                窦性心律(?:规则|整齐|齐)? (?:大致|基本)?正常(?:范围)?(?:静息)?心电图 心律齐 心率齐 律齐 nilm
                双肺呼吸音清 [双两]?肺纹理(?:清晰|清楚) [双两]肺野?(?:清晰|清|透亮度正常) 双侧肋膈角锐利 膈面光滑
                包膜(?:光滑|完整) (?:实质)?回声(?:分布)?均匀 咽部无充血 腹软 肝脾肋下未触及
                """
            ),
            r"(?:(?:双侧?|左侧?|右侧?)?乳(?:腺|房)?)?(?:acr )?bi-?rads ?(?:分类|分级|category)?[: ]?[12](?:类|级)?\)?",
            r"\(?benign(?: findings?)?\)?",
            "(?:normal )?sinus rhythm|regular (?:rate and )?rhythm|clear lungs|satisfactory for evaluation",
            "(?:within )?normal limits",
            rf"(?:normal|clear|unremarkable|intact) (?:[a-z]+ ){{0,2}}{_PART}(?: (?:and|or) {_PART})*",
            "normal "
            + _any(
                """
                ecg ekg electrocardiogram study examination exam chest_radiograph chest_x-ray gastroscopy
                colonoscopy(?:_to_ca?ecum)?
                """
            ),
            "normal "
            + _any("ct mri x-?ray ultrasound scan spirometry echocardiogram mammogram eeg angiogram")
            + "(?: (?:of )?(?:the )?[a-z]+){0,2}",
            "(?:[a-z]+ ){1,4}(?:(?:is|are|appears?) )?(?:normal|unremarkable|clear|intact|within normal limits)",
        )
    )
)
_GRAVE = "(?:癌|恶性|转移(?!酶)|出血|梗[死塞]|血栓|栓塞|夹层|结核|骨折|占位)"
_GRAVE_EN = (
    "(?:malignan|carcinoma|cancer|hcc|hepatocellular|neoplas|metasta|lymphoma|infarct|embol|fracture|tubercul"
    "|dissection|ha?emorrhage|pneumonia)"
)
SUSPECTED = re.compile(
    rf"(?:考虑|疑似|可疑|提示|倾向于?|怀疑)(?:为)?[^,;除]{{0,8}}{_GRAVE}"
    rf"|{_GRAVE}[\u4e00-\u9fff]{{0,3}}可能(?!性?(?:较|很|极)?[小低])"
    rf"|(?:suspicious for|suggestive of|suspicion of|concerning for|worrisome for|consistent with) "
    rf"(?:[a-z-]+ ){{0,3}}{_GRAVE_EN}"
)
"""What somebody suspects who looked, and that nobody may wait with: never well, whatever it turns out to be."""
NOT_NOW = re.compile(
    "除|史|术后|既往|家族|治疗|较前|复查|history|previous|prior|exclu|rule|post|resect|remov|treated|resolved|less"
    "|low|unlikely|stable"
)
"""Words that take a suspicion back, or speak of another time."""
AT_ONCE = re.compile(
    "(?:建议|请|需|须|应|务必)(?:您|患者|本人)?(?:立即|马上|立刻|尽快|尽早|急诊)[^,;]{0,14}(?:就[诊医]|入院|住院|治疗|急诊|门诊)"
    "|(?:seek|needs?|requires?) (?:immediate|urgent|emergency) (?:medical )?"
    "(?:care|attention|evaluation|treatment|help)"
    "|(?:urgent|immediate|emergency) (?:referral|evaluation|admission|consultation|medical attention)"
    "(?: (?:is |was )?(?:recommended|advised|required|needed))"
)
"""Advice to see a doctor now, which nobody gives who is well …"""
IN_CASE = re.compile("如|若|一旦|必要时|倘|不适|不需|无需|不必|(?<![a-z])(?:if|in case|should|when|not|no)(?![a-z])")
"""… unless it is for a case that may come."""
NOT_QUITE = re.compile("异常|欠|部分|多数|大多|[高低大小差异]于|接近|超出?|外[均皆]|abnormal|barely|nearly|almost")
"""Words beside a healthy wording that make it another one."""
USUAL_RATE = re.compile(
    r"(?:心率|(?:heart |ventricular )?rate|hr)?[: ]?(?:5[5-9]|[6-9][0-9]|100) ?(?:次/分钟?|bpm|/min|beats/min)?"
)
"""A usual heart rate, told among other things: it says nothing of the rest."""
DENIAL = re.compile(
    rf"{_NONE}|无充血|肋下未触及|不厚|不大|不宽|不粗|不扩张|未增厚|未增宽|未增大|未扩张|无扩张|无增厚|无移位|无增宽"
)
"""What is well denied. Any other denial in a clause takes back what it says."""
ANSWERED_NO = re.compile(
    r"(?:无|没有|未见|否认?|阴性|未发现|none|no|absent|negative|not (?:seen|present|found)|\(?-\)?)"
)
"""What alone behind a comma or colon denies the words before it: `脂肪肝：无`."""
GOES_ON = re.compile(rf"{_THINGS}|(?:or |and )?{_ILLS}(?: (?:or|and) {_ILLS})?")
"""What goes on after a comma behind a denial."""
ALL_WELL = re.compile("(?:未见|未发现|未触及|无)(?:明显|显著)?异常$|(?<![不欠非])正常$")
"""Of a clause that ends so, nothing goes on behind its comma."""
LISTED = re.compile(
    _any(
        """
        大小 形态 位置 双 左 右 肝脏? 胆囊? 胰腺? 脾脏? 肾脏? 甲状腺 前列腺 子宫 附件 膀胱 双侧附件 心 肺 膈 皮肤
        浅表 淋巴结
        脊柱 四肢 关节 乳腺 肛门 直肠 外生殖器 鼻腔 鼻咽部? 咽部? 喉部? 扁桃体 外耳道? 鼓膜 牙齿? 牙龈 口腔 黏膜 粘膜
        头颅 颈部 五官
        纵隔 胸廓 胸膜 气管 肋骨 大脑 小脑 脑干 脑室 输尿管 胆管 门静脉 宫颈 阴道 外阴 卵巢 角膜 结膜 晶体 虹膜 瞳孔
        眼睑 liver_?
        gall_?bladder_? pancreas_? spleen_? kidneys_? uterus_? ovaries_? heart_? lungs_?
        """
    )
    + "+"
)
"""Organs of a list, before the clause that speaks of all."""
BESIDE = re.compile(r"(?:,? ?without| ?(?:不伴|未伴|无伴)).*$")
"""What is said to be missing beside an illness: `gallstones without cholecystitis`."""

_HEART = """
    运动(?:减低|消失)?异常(?!风险) (?:肺动脉|门静脉|门脉|颅内)高压 高血压(?!病?史|病?家族) 全心(?:扩大|增大)
    心[房室腔]{1,2}(?:扩大|增大)
    (?:急性)?冠脉综合征 病态?窦(?:房结)?综合征 brugada
    房颤 心房[颤纤][动颤] 心房扑动 早搏 传导阻滞 房室阻滞 st-?t_?改变 t波(?:改变|倒置|低平) st段(?:压低|抬高|改变)
    病理性q波 心肌缺血 心肌梗[死塞] 心梗 心室肥[厚大] 心动过[速缓] 心律不齐 不正常心电图 异常心电图 室性心律 逸搏
    预激 室颤 室速 室上速 停搏 (?:舒张|收缩)功能(?:减[低退]|降低|不全) 关闭不全 (?:中|重)度反流
    室壁运动(?:减弱|异常|不协调) st段?_?(?:下移|上移|下降) t波(?:高尖|双向|切迹|异常) u波 [pq][rt]间期(?:延长|缩短)
    电轴[左右]偏
    低电压 左[心室]*高电压 [顺逆]钟向转位 r波递增不良 束支阻滞 分支阻滞 窦房阻滞 期前收缩 异位心律 交界性心律
    起搏心律 早期复极
    [左右双]侧?[心房室]{1,2}(?:增大|扩大|肥大|肥厚) 冠心病 主动脉[结弓]?(?:迂曲|突出|增宽|延长) 心影增大 心脏增大
    心肌病 心肌炎 心包炎 心力衰竭 心衰 房间隔缺损 室间隔缺损
    动脉导管未闭
    (?:可闻及|闻及)[^未无]{0,12}(?:杂音|啰音)
    """
_HEART_EN = """
    n?stemi (?:acute|old|inferior|anterior|lateral)_mi myocardial_(?:infarction|ischa?emia|injury) thromb(?:us|i)
    ^prolonged$
    atrial_fibrillation atrial_flutter bundle_branch_block cardiomegaly (?:sinus_)?(?:brady|tachy)cardia
    asystole
    (?:av|heart)_block st(?:-segment)?_(?:elevations?|depression) t_wave_inversions? abnormal_e[ck]g lvh
    ventricular_fibrillation left_ventricular_hypertrophy
    (?:lv|left_ventricular|ventricular|diastolic|systolic)_dysfunction positive_for_ischa?emia
    premature_(?:ventricular|atrial)_(?:complexes|contractions|beats) prolonged_qtc?(?:_interval)?
    qtc?_prolongation
    stenosis aneurysm (?:aortic_)?dissection infarct(?:ion)?s? pericardial_effusion pericarditis myocarditis
    cardiomyopathy heart_failure
    (?<!trace_)(?<!trivial_)(?<!physiologic_)(?<!physiological_)(?:[a-z]+_)regurgitation [lr]bbb
    st-?t?(?:_wave)?_(?:changes?|abnormalit(?:y|ies))
    t[-_]wave_(?:abnormalit(?:y|ies)|flattening|changes?) (?:left|right)_axis_deviation
    (?:left|right)_(?:atrial|ventricular)_enlargement
    pvcs? pacs? (?:low|poor)_(?:qrs_)?(?:voltage|r[-_]wave_progression)
    (?:first|second|third)[-_]degree_(?:av_)?block hypokines(?:is|ia) akines(?:is|ia)
    pathologic(?:al)?_q_waves? wall_motion_abnormality
    """
_LUNGS = """
    阴影 感染(?!性?(?:指标|标志|风险|筛查|史)|[四八]项|性疾病)
    肺炎(?!支原体|衣原体|链球菌|克雷伯|疫苗) 肺气肿 肺大[泡疱] 肺结核(?!抗|菌|筛查) 磨玻璃 实变 结节影 空洞
    纤维[灶化] 纤维条索影? 条索影 斑片影 胸膜(?:局限性)?(?:增厚|粘连) 纹理(?:增[粗多重强]|紊乱|粗乱)
    小气道功能[^正良]{0,6}(?:减退|障碍|降低)
    通气功能(?:障碍|减退) 支气管扩张 间质性改变 斑片状?(?:模糊|高密度|密度增高)?影 (?:高|低)?密度(?:增高)?影
    (?<!慢性)炎症(?!指标|因子|标志) 肺不张 气胸 胸腔积液 尘肺 肺纤维化 肺栓塞 肺水肿 阻塞性通气 限制性通气
    """
_LUNGS_EN = """
    widened_mediastinum mediastinal_widening
    consolidation pneumonia(?!_vaccine) effusions? opacit(?:y|ies) atelectasis emphysema ground[-_]glass
    pleural_thickening pneumothorax infiltrates? cavitation cavitary bronchiectasis (?:pulmonary_)?fibrosis
    granulomas? hyperinflat(?:ed|ion) (?:mild|moderate|severe|airflow|airway)_obstruction
    pulmonary_(?:embolism|emboli|oedema|edema) tuberculosis(?!_screen)
    obstructive_(?:pattern|defect|ventilatory)
    restrictive_(?:pattern|defect)
    """
_BELLY = """
    (?:胰管|胆管|肾盂|输尿管|肠管|主动脉|血管|静脉|脑室|[左右][心]?[房室])(?:轻度|明显|稍|局限性)?扩张(?!良好|正常)
    弥漫性改变 多囊(?:样|卵巢) 内膜(?:明显)?增厚 (?:囊性|实性|混合性|低回声|附件区?)包块 小叶增生 增生结节 壁毛糙
    壁粗糙 回声(?:增粗|粗糙|不均匀?) 肝内钙化 结晶
    包皮过长 包茎 宫颈(?:肥大|糜烂) 子宫脱垂 (?:阴道[前后]?壁|直肠|脏器)(?:膨出|脱垂) 脂肪肝 肝硬化 胆囊炎
    (?:肝|脾)脏?大(?!小) 积水 疝 前列腺(?:增生|增大|肥大) 乳腺增生
    弥漫性病变 胃炎 食管炎
    肠炎(?!沙门) 糜烂 溃疡 阑尾炎 胰腺炎 穿孔 肠梗阻 游离气体 腹水 憩室 肠化 巴雷特 宫外孕 异位妊娠 子宫内膜异位
    腺肌症 附睾炎 睾丸扭转 肝内胆管扩张 胆总管扩张 肾萎缩
    """
_BELLY_EN = """
    fatty_liver (?:hepatic_)?steatosis gallstones? chole(?:docho)?lithiasis renal_calcul(?:us|i) kidney_stones?
    hydronephrosis hepatomegaly splenomegaly hiatal_hernia inguinal_hernia gastritis diverticul(?:osis|a|itis)
    cirrhosis varices appendicitis pancreatitis cholecystitis perforation bowel_obstruction
    free_(?:intraperitoneal_)?(?:air|gas|fluid) ascites (?:gastric|duodenal)_ulcer o?esophagitis colitis barrett
    ectopic_pregnancy endometriosis ovarian_torsion
    """
_GROWTHS = """
    肿物 腺癌 鳞癌 (?:查见|找到|发现|可见|检出)(?:大量|少量|个别)?癌细胞
    (?:骨|肝|肺|脑|淋巴结|远处|多发)[\u4e00-\u9fff]{0,3}转移(?!酶)
    代谢(?:异常)?增高
    囊肿 结石 息肉 结节 肌瘤 血管瘤 肿瘤(?!标志|相关|筛查|指标) 占位 肿块 积液 肿大 腺瘤
    非典型(?:鳞状|腺)(?:上皮)?细胞 低级别 高级别 癌(?!胚|细胞|筛查|抗原|标志|症|基因|相关) 转移[瘤灶] 淋巴瘤(?!标志)
    肉瘤 黑色素瘤 错构瘤 畸胎瘤 上皮内瘤变 bi-?rads_?(?:category|分类|分级)?_?(?:[3-6]|iv|v)
    (?:c-)?ti-?rads_?(?:分类|分级)?_?(?:tr)?[3-6] lung-?rads_?(?:category)?_?[3-4]
    pi-?rads_?(?:category|score)?_?[3-5] li-?rads_?(?:lr-)?[3-5m]
    """
_GROWTHS_EN = """
    (?:lobe|head|tail|hilar|mediastinal|ulcerated|spiculated|exophytic|obstructing|intraluminal|polypoid|necrotic)_mass
    (?:infiltrating|irregular|lobulated|rectal|gastric|colonic|thyroid|testicular|ovarian|uterine|bladder|brain)_mass
    (?:intracranial|cerebral|retroperitoneal|palpable|soft[-_]tissue)_mass hepatocellular hcc
    malignant_(?:cells|neoplasm|tumou?r|lesion)s? malignancy(?!_screen)
    nodules? hypoechoic_mass polyps? cysts? adenomas? (?:adeno|squamous_cell_)?carcinomas? lymphadenopathy
    dysplasia(?!_screen) atypical_(?:squamous|glandular)_cells lsil hsil asc-us asc-h agc fibroids? leiomyomas?
    goit(?:er|re) [0-9.]+_?[cm]m_mass
    (?:solid|breast|lung|pelvic|adnexal|renal|suspicious|liver|hepatic|large|enhancing)_mass
    suspicious_(?:lesion|abnormality)
    (?:enhancing|hypo(?:dense|intense|echoic)|hyper(?:dense|intense|echoic)|space-occupying|ulcerat(?:ed|ing)|sclerotic|osteolytic)_lesions?
    (?:white_matter|focal|lytic|ring-enhancing|hepatic|liver|cystic)_lesions?
    metasta(?:sis|ses|tic) lymphoma melanoma sarcoma glioma meningioma tumou?r(?!_marker)
    cancer(?!_screen|_antigen|_marker) cin_?(?:[123]|iii|ii|i) abscess
    """
_OTHERS = """
    骤停 心跳停止 呼吸(?:停止|暂停|衰竭) 昏迷 休克 意识(?:不清|丧失|障碍) 尿潴留 黑便 咯血 呕血 便血 刺激征阳性 偏瘫
    失明 衰竭 贫血
    包块 硬结 肿胀 破损 缺损
    闭塞 (?:脊髓|神经(?:根)?|马尾(?:神经)?|硬膜囊)受压 椎间盘脱出
    斑块 钙化斑 (?:冠状动脉|瓣膜?|血管|动脉)钙化 (?<!骨髓)增生(?!活跃|良好) 狭窄 肥[大厚] 退行性(?:病?变|改变)
    生理曲度(?:变直|消失|反弓) 间隙(?:变窄|狭窄)
    (?:颈椎|腰椎|牙周|皮肤|白癜风|血管)病 老年性脑改变 脱髓鞘 缺血[灶性] 软化灶 白质(?:病变|疏松|变性) 空泡?蝶鞍 近视
    远视 散光 老视 斜视
    弱视 翼状胬肉 晶状?体(?:轻度|密度)?(?:混浊|浑浊) 沙眼 色素紊乱 杯盘比(?:增大|扩大) 玻璃体(?:混浊|浑浊) 豹纹状
    玻璃膜疣 倒睫 睑裂斑
    残冠 缺[牙齿] 牙(?:列)?缺[失损] 楔状缺损 阻生 牙结?石 牙龈(?:红肿|出血|萎缩) 牙列不齐 屈光不正
    (?:咽部?|结膜|鼻粘膜|鼻黏膜|粘膜|黏膜)(?:慢性|轻度|明显)?充血
    声带(?:小结|息肉) 耵聍(?:栓塞)? 鼻甲(?:肥大|肿大) 鼓膜(?:穿孔|内陷|混浊|浑浊) 耳聋
    (?:触及|扪及|可及)[^未无]{0,8}(?:包块|肿块|硬结)
    (?<!消)水肿 皮疹 脂肪瘤 [足手体股甲]癣 痤疮 荨麻疹 白癜风 皮炎 叩击痛 肥胖 超重
    (?:焦虑|抑郁)(?!自评|量表|评分|测评|筛查|症状自评) 瘤(?!标志|相关|筛查|指标|抗)
    血管弹性[^正良]{0,4}(?:减弱|降低|减退)
    (?<![肝脑消抗])炎(?!症|支原体|衣原体|双?球菌|链球菌|克雷伯|疫苗|病毒|杆菌|抗|因子|指标|标志)
    (?:颅内|脑实质|脑室|脑干|硬膜[外下]|消化道|眼底|玻璃体|腹腔|视网膜|肺泡?|活动性)出血 出血(?:性|灶|点)
    (?:动脉|主动脉)(?:粥样)?硬化 内-?中膜(?:局限性)?增厚 静脉曲张
    (?:轻|中|重)度狭窄 管腔狭窄 动脉瘤
    夹层 血栓(?!弹力) 栓塞 脑梗[死塞] 腔隙性 脑出血 血肿 蛛网膜下腔出血 中线移位 脑萎缩 脓肿 骨折(?!风险)
    骨质疏松(?!风险|筛查) 骨量(?:减少|低下) 低骨量 骨质增生 椎间盘[突膨]出 脊柱侧弯 关节炎 半月板撕裂 韧带撕裂 脱位
    白内障 青光眼 晶状体混浊 视网膜(?:病变|脱离) 黄斑变性 色盲 色弱 龋齿? 残根 牙周炎 牙龈炎 咽炎 鼻炎 鼻窦炎 中耳炎
    鼻中隔偏曲 扁桃体肥大 痔疮? (?:混合|内|外)痔 肛裂 湿疹 银屑病 听力(?:下降|损失|减退) 宫颈炎 阴道炎 甲亢 甲减
    桥本
    """
_OTHERS_EN = """
    spondylosis degenerative_(?:changes?|dis[ck]_disease|joint_disease)
    enlarged_(?:prostate|thyroid|heart|liver|spleen|lymph_nodes?|uterus|tonsils?)
    (?:atypical|dysplastic)_n(?:a)?ev(?:us|i) (?:dental_)?caries (?:tooth_|dental_)?decay gingivitis
    periodontitis impacted_(?:wisdom_)?(?:tooth|teeth|molars?)
    myopia hyperopia astigmatism presbyopia amblyopia pterygium drusen (?:cerumen|wax)_impaction (?:ear)?wax
    (?:tympanic_membrane_)?perforat(?:ed|ion) deviated_(?:nasal_)?septum rhinitis pharyngitis tonsillitis
    conjunctivitis dermatitis lipomas?
    (?:morbid_)?obes(?:e|ity) overweight (?<!no_)murmurs? cervicitis vaginitis prostatitis thyroiditis bph
    osteoporosis osteopenia fractures?(?!_risk) cataracts? retinopathy ha?emorrhoids atrophy(?!_score)
    ha?ematoma
    (?:subdural|subarachnoid|intracranial|intracerebral|intraventricular|retinal|gi)_ha?emorrhage midline_shift
    mass_effect (?:acute|deep_vein|venous)_thrombos[ie]s thrombosis dvt emboli(?:sm)? stroke papillo?edema
    retinal_detachment macular_degeneration glaucoma(?!_screen) sinusitis otitis_media (?:osteo)?arthritis
    scoliosis
    disc_(?:herniation|protrusion|bulge|prolapse) herniated_disc
    (?:menisc(?:al|us)|ligament|rotator_cuff|labral|tendon)_tear dislocation hearing_loss psoriasis eczema
    """
ILLNESS = re.compile(
    _any(_HEART + _LUNGS + _BELLY + _GROWTHS + _OTHERS)
    + "|(?<![a-z])"
    + _any(_HEART_EN + _LUNGS_EN + _BELLY_EN + _GROWTHS_EN + _OTHERS_EN)
    + "(?![a-z])"
)
