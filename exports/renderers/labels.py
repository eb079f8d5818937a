"""The words that stand around a meeting's own, in nine languages."""

from __future__ import annotations

from collections.abc import Mapping

RIGHT_TO_LEFT = frozenset({"ar", "ur"})
FALLBACK = "en"

_NAMES = (  # noqa: SIM905
    "minutes|contents|details|participants|stakeholders|brief|summary|decisions|action_items"
    "|topics|transcript|when|duration|platform|organizer|tags|language|name|part|talk_time|share"
    "|role|interest|decision|task|owner|due|status|at|speaker|text|start|end|possible|confirmed"
    "|done|revision|participant|notes|more"
).split("|")

# One row a language, in the order of _NAMES.
_WORDS: dict[str, str] = {
    "en": "Minutes|Contents|Details|Participants|Stakeholders|Brief|Summary|Decisions|Action items"
    "|Topics|Transcript|When|Duration|Platform|Organizer|Tags|Language|Name|Part|Talk time|Share"
    "|Role|Interest|Decision|Task|Owner|Due|Status|At|Speaker|Text|Start|End|possible|confirmed"
    "|done|Revision|Participant|Notes"
    "|and {count} more",
    "sv": "Protokoll|Innehåll|Uppgifter|Deltagare|Intressenter|Underlag|Sammanfattning|Beslut"
    "|Åtgärder|Ämnen|Utskrift|När|Längd|Plattform|Organisatör|Taggar|Språk|Namn|Del|Taltid|Andel"
    "|Roll|Intresse|Beslut|Uppgift|Ansvarig|Senast|Status|Tid|Talare|Text|Början|Slut|möjligt"
    "|bekräftat|klart|Revision|Deltagare|Anmärkningar"
    "|och {count} till",
    "hu": "Jegyzőkönyv|Tartalom|Adatok|Résztvevők|Érintettek|Háttér|Összefoglaló|Döntések"
    "|Teendők|Témák|Átirat|Időpont|Időtartam|Platform|Szervező|Címkék|Nyelv|Név|Szerep|Beszédidő"
    "|Arány|Szerep|Érdek|Döntés|Teendő|Felelős|Határidő|Állapot|Idő|Beszélő|Szöveg|Kezdet|Vég"
    "|lehetséges|megerősített|kész|Változat|Résztvevő|Megjegyzések"
    "|és további {count}",
    "de": "Protokoll|Inhalt|Angaben|Teilnehmende|Beteiligte|Vorbereitung|Zusammenfassung"
    "|Beschlüsse|Aufgaben|Themen|Mitschrift|Wann|Dauer|Plattform|Leitung|Schlagwörter|Sprache|Name"
    "|Rolle|Redezeit|Anteil|Rolle|Anliegen|Beschluss|Aufgabe|Zuständig|Fällig|Stand|Zeit"
    "|Sprecher|Text|Beginn|Ende|möglich|bestätigt|erledigt|Fassung|Teilnahme|Anmerkungen"
    "|und {count} weitere",
    "ur": "روداد|فہرست|تفصیلات|شرکاء|متعلقہ افراد|پس منظر|خلاصہ|فیصلے|کام|موضوعات|متن|کب|دورانیہ"
    "|پلیٹ فارم|منتظم|ٹیگ|زبان|نام|حیثیت|گفتگو کا وقت|حصہ|کردار|دلچسپی|فیصلہ|کام|ذمہ دار"
    "|آخری تاریخ|حالت|وقت|مقرر|متن|آغاز|اختتام|ممکنہ|تصدیق شدہ|مکمل|نظر ثانی|شریک|نوٹس"
    "|اور مزید {count}",
    "hi": "कार्यवृत्त|विषय-सूची|विवरण|प्रतिभागी|हितधारक|पृष्ठभूमि|सारांश|निर्णय|कार्य|विषय|प्रतिलेख|कब|अवधि"
    "|मंच|आयोजक|टैग|भाषा|नाम|भूमिका|बोलने का समय|हिस्सा|भूमिका|रुचि|निर्णय|कार्य|ज़िम्मेदार|नियत तिथि|स्थिति"
    "|समय|वक्ता|पाठ|आरंभ|अंत|संभावित|पुष्ट|पूर्ण|संशोधन|प्रतिभागी|टिप्पणियाँ"
    "|और {count} अन्य",
    "ar": "محضر|المحتويات|التفاصيل|المشاركون|أصحاب المصلحة|الخلفية|الملخص|القرارات|المهام|المواضيع"
    "|النص|الموعد|المدة|المنصة|المنظم|الوسوم|اللغة|الاسم|الصفة|وقت الحديث|النسبة|الدور|الاهتمام"
    "|القرار|المهمة|المسؤول|الاستحقاق|الحالة|الوقت|المتحدث|النص|البداية|النهاية|محتمل|مؤكد|منجز"
    "|المراجعة|مشارك|ملاحظات"
    "|و{count} آخرون",
    "zh": "会议纪要|目录|详情|与会者|相关方|简报|摘要|决定|行动项|议题|文字记录|时间|时长|平台"
    "|组织者|标签|语言|姓名|身份|发言时长"
    "|占比|角色|关注点|决定|任务|负责人|截止日期|状态|时刻|发言人|内容|开始|结束|待确认|已确认|已完成|修订|与会者|备注"
    "|另有 {count} 人",
    "ja": "議事録|目次|詳細|参加者|関係者|概要資料|要約|決定事項|アクション項目"
    "|トピック|文字起こし|日時|所要時間|プラットフォーム|主催者|タグ|言語|名前|立場|発言時間"
    "|割合|役割|関心事|決定|タスク|担当者|期限|状態|時刻|発言者|本文|開始|終了|未確認"
    "|確認済み|完了|改訂|参加者|備考"
    "|ほか {count} 人",
}

LANGUAGES = tuple(_WORDS)
_TABLE: dict[str, Mapping[str, str]] = {
    language: dict(zip(_NAMES, words.split("|"), strict=True)) for language, words in _WORDS.items()
}


def labels_in(language: str) -> Mapping[str, str]:
    """The labels in a language by its code. Raises KeyError for one that there is not."""
    return _TABLE[language]


def language_for(code: str) -> str:
    """The language of labels for a meeting in the language of this code, perhaps with a region."""
    language = code.replace("_", "-").partition("-")[0].lower()
    return language if language in _TABLE else FALLBACK
