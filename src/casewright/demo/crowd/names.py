"""Names of many tongues: common given names, and family names from syllables. A name is told in its own script and in
the Latin ways in which a clerk may write it."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from casewright.demo.crowd.letters import written_latin

SLAVIC = (
    "Дмитрий Сергей Алексей Иван Михаил Николай Юрий Павел Андрей Виктор Георгий Фёдор Анна Елена Ольга Наталья "
    "Татьяна Юлия Мария Ксения Екатерина Людмила Светлана Галина"
).split()
STEMS = "Лом Вел Гор Дуб Зор Кал Мех Нов Пол Руд Сам Тар Хар Чер Шум Бел Вор Жар Куз Мор Рож Сол Тих Яс".split()
MIDDLES = "ен ав ин ор ист ак ол ун еш ет".split()
GREEKS = (
    "Γεώργιος Νικόλαος Δημήτριος Χρήστος Ελένη Μαρία Σοφία Κωνσταντίνος Παναγιώτης Θεόδωρος Αικατερίνη Φωτεινή"
).split()
GREEK_STEMS = "Καλ Μαυρ Παπ Στεφ Χατζ Λεβ Θεο Ξεν Ψαρ Κοντ Μιχ Δρακ".split()
GREEK_ENDS = "ακης ιδης οπουλος ατος ελης ινος".split()
ARABIC = (
    ("محمد", "Muhammad Mohammed Mohamed Mohammad"), ("أحمد", "Ahmad Ahmed"), ("خالد", "Khaled Khalid"),
    ("محمود", "Mahmoud Mahmud"), ("حسين", "Hussein Husain Hussain"), ("حسن", "Hassan Hasan"), ("يوسف", "Yousef Yusuf"),
    ("عمر", "Omar Umar"), ("طارق", "Tarek Tariq Tarik"), ("سعيد", "Said Saeed"), ("فاطمة", "Fatima Fatma"),
    ("مريم", "Maryam Mariam"), ("ليلى", "Layla Leila"), ("عبد الرحمن", "Abdulrahman Abdelrahman Abderrahmane"),
    ("جمال", "Jamal Djamal"), ("رشيد", "Rashid Rachid Rasheed"), ("سمير", "Samir Sameer"), ("نور", "Nour Noor Nur"),
)  # fmt: skip
ARABIC_FAMILIES = (
    ("الحداد", "Al-Haddad Haddad El-Haddad"), ("منصور", "Mansour Mansur"), ("الشريف", "Al-Sharif El-Sharif"),
    ("صالح", "Saleh Salih"), ("النجار", "Al-Najjar El-Najjar"), ("حمدان", "Hamdan Hamdane"),
    ("قاسم", "Qasim Kassem Kasim"), ("خليل", "Khalil Khaleel"), ("الخطيب", "Al-Khatib El-Khatib"),
    ("درويش", "Darwish Darwiche"), ("زيدان", "Zidan Zidane"), ("البكري", "Al-Bakri El-Bakri"),
    ("سليمان", "Sulaiman Soliman Suleiman"), ("فرحات", "Farhat Ferhat"),
)  # fmt: skip
KOREAN_FAMILIES = (
    ("김", "Kim"), ("이", "Lee Yi Rhee"), ("박", "Park Pak Bak"), ("최", "Choi Choe"), ("정", "Jung Jeong Chung"),
    ("강", "Kang"), ("조", "Cho Jo"), ("윤", "Yoon Yun"), ("임", "Lim Im"), ("신", "Shin Sin"), ("오", "Oh"),
    ("한", "Han"), ("서", "Seo Suh"), ("권", "Kwon"), ("황", "Hwang"), ("송", "Song"), ("남궁", "Namgung"),
    ("문", "Moon Mun"),
)  # fmt: skip
"""The first four are as common as all others together."""
KOREAN = (
    ("민", "min"), ("준", "jun joon"), ("서", "seo suh"), ("연", "yeon yun"), ("지", "ji jee"), ("현", "hyun hyeon"),
    ("영", "young yeong"), ("수", "su soo"), ("진", "jin"), ("우", "woo u"), ("은", "eun un"), ("하", "ha"),
    ("성", "sung seong"), ("호", "ho"), ("재", "jae"), ("경", "kyung gyeong"), ("혜", "hye"), ("태", "tae"),
    ("도", "do"), ("원", "won"), ("아", "a ah"),
)  # fmt: skip
CHINESE_FAMILIES = (
    "王Wang 李Li 张Zhang 刘Liu 陈Chen 杨Yang 赵Zhao 黄Huang 周Zhou 吴Wu 徐Xu 孙Sun "
    "胡Hu 朱Zhu 高Gao 林Lin 何He 郭Guo 马Ma 罗Luo"
).split()
CHINESE = (
    "伟wei 芳fang 娜na 敏min 静jing 丽li 强qiang 磊lei 军jun 洋yang 勇yong 艳yan 杰jie 涛tao 明ming 超chao 霞xia "
    "平ping 刚gang 桂gui 英ying 华hua 文wen 建jian 国guo 海hai 玉yu 春chun 晓xiao "
    "鹏peng 志zhi 宇yu 浩hao 天tian 雪xue 梅mei"
).split()
EUROPEAN = {
    "DE": ("Jürgen Björn Götz Käthe Jörg Lukas Anna Günther Heike Sören Ute Dörte Karl Ilse",
           "Mül Schrö Gro Krä Böh Lüt Wag Hof Stei Brü Vo Kö", "ler der ßmann mer ner ke gel bach ger mann"),
    "PL": ("Łukasz Paweł Agnieszka Małgorzata Zbigniew Józef Bożena Stanisław Michał Żaneta Święto Jerzy",
           "Kowa Wiś Zie Dą Woź Szy Jabł Przy Gór Łu", "lski niewski liński browski niak mański oński bylski ecki"),
    "FR": ("François Hélène André Cécile Gérard Anaïs René Zoé Benoît Chloé Luc Margot",
           "Lef Du Mor Gau Per Che Rou Bel Cha Gir", "èvre bois eau tier rin valier sseau anger mpion ard"),
    "ES": ("José María Jesús Ángel Íñigo Raúl Begoña Lucía Martín Inés Sofía Andrés",
           "Gar Fer Gon Pé Her Álva Ji Mu Ro Vá", "cía nández zález rez nández rez ménez ñoz dríguez squez"),
    "TR": ("Gülşen Çağlar Işıl Ömer Şükrü Ayşe Mehmet Yağmur Emre Özge",
           "Yıl Öz Ka De Şa Çe Kı Ay Gü Er", "dız türk ya mir hin lik lıç dın neş doğan"),
    "VN": ("Đức Hồng Thị Minh Anh Tuấn Hạnh Phương", "Nguy Tr Ph L Ho Ph Vũ Đặ Bù Đỗ", "ễn ần ạm ê àng an ng i h g"),
    "NL": ("Fenna Joris Lieke Bram Sanne Thijs Femke Daan Wouter Marieke Sjoerd Anouk",
           "Ver Hoek Bak Smit Mul Vis Boer Dek Ker Bos", "hoeven stra ker s der ser ma kers man kamp"),
    "GB": ("Alex Robin Casey Morgan Jamie Harriet Nigel Fiona Graham Tamsin Oliver Imogen",
           "Ash Black Whit Har Thorn Mar Lang Hol Wood Brad", "ford well taker grove ton low ley brook shaw bury"),
}  # fmt: skip
"""By country: given names, and beginnings and ends of family names."""


@dataclass(frozen=True)
class Part:
    """One part of a name: in its own script, and Latin ways to write it, of which the first is the usual one."""

    own: str
    latin: tuple[str, ...]


@dataclass(frozen=True)
class Name:
    """`close`: a script that writes the family first, without a space."""

    family: Part
    given: Part
    country: str
    middle: Part | None = None
    close: bool = False

    def own(self) -> str:
        if self.close:
            return self.family.own + self.given.own
        return " ".join(part.own for part in (self.given, self.middle, self.family) if part)


def name(dice: Random) -> Name:
    maker: Callable[[Random], Name] = dice.choice((_slavic, _greek, _arabic, _korean, _chinese, *(_european,) * 8))
    return maker(dice)


def given_like(dice: Random, of: Name) -> Part:
    """Another given name that a brother or sister could have."""
    while True:
        made = name(dice)
        if (made.country, made.close) == (of.country, of.close) and made.given.own != of.given.own:
            return made.given


def _part(dice: Random, own: str) -> Part:
    return Part(own, tuple(dict.fromkeys(written_latin(dice, own) for _ in range(4))))


def _of(pair: tuple[str, str]) -> Part:
    return Part(pair[0], tuple(pair[1].split()))


def _slavic(dice: Random) -> Name:
    given = dice.choice(SLAVIC)
    family = dice.choice(STEMS) + dice.choice(MIDDLES) + dice.choice((*MIDDLES, "")) + dice.choice(("ов", "ев", "ин"))
    family += "а" if given[-1] in "ая" else ""
    return Name(_part(dice, family), _part(dice, given), dice.choice(("BG", "RS", "UA")))


def _greek(dice: Random) -> Name:
    plain = str.maketrans("άέήίόύώϊϋΐΰ", "αεηιουωιυιυ")
    family = dice.choice(GREEK_STEMS) + dice.choice("αεο") + dice.choice(("λ", "ν", "ρ", "")) + dice.choice(GREEK_ENDS)
    given = dice.choice(GREEKS)
    return Name(Part(family, _part(dice, family).latin), Part(given, _part(dice, given.translate(plain)).latin), "GR")


def _arabic(dice: Random) -> Name:
    middle = _of(dice.choice(ARABIC)) if dice.random() < 0.5 else None
    return Name(_of(dice.choice(ARABIC_FAMILIES)), _of(dice.choice(ARABIC)), dice.choice(("EG", "MA", "JO")), middle)


def _korean(dice: Random) -> Name:
    two = (dice.choice(KOREAN), dice.choice(KOREAN))
    ways = tuple("".join((dice.choice(a.split()).capitalize(), dice.choice(("", "-", " ")), dice.choice(b.split())))
                 for a, b in ((two[0][1], two[1][1]),) * 3)  # fmt: skip
    return Name(
        _of(dice.choice(KOREAN_FAMILIES[: dice.choice((4, 18))])), Part(two[0][0] + two[1][0], ways), "KR", close=True
    )


def _chinese(dice: Random) -> Name:
    family = dice.choice(CHINESE_FAMILIES)
    two = [dice.choice(CHINESE) for _ in range(dice.choice((1, 2, 2, 2)))]
    latin = "".join(one[1:] for one in two).capitalize()
    spaced = "-".join(one[1:] for one in two).title()
    return Name(Part(family[0], (family[1:],)), Part("".join(one[0] for one in two), (latin, spaced)), "CN", close=True)


def _european(dice: Random) -> Name:
    country = dice.choice(sorted(EUROPEAN))
    givens, heads, ends = (words.split() for words in EUROPEAN[country])
    family = dice.choice(heads) + dice.choice(("", "", "el", "in", "er", "o")) + dice.choice(ends)
    middle = _part(dice, dice.choice(givens)) if dice.random() < 0.15 else None
    if country == "ES":
        middle = _part(dice, dice.choice(heads) + dice.choice(ends))
        return Name(middle, _part(dice, dice.choice(givens)), country, _part(dice, family))
    return Name(_part(dice, family), _part(dice, dice.choice(givens)), country, middle)
