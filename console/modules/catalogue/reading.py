"""How an item is found by somebody who types: words, full pinyin, first letters."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from pypinyin import Style, lazy_pinyin

from console.modules.catalogue.domain import ItemBody

_NARROW = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F) if chr(wide - 0xFEE0).isalnum()}
_SHORT_NAME = re.compile(r"[\u3400-\u9fff]{2,8}")
_SHORT_LETTERS = re.compile(r"[a-z]{3,8}")
_SHORT_SOUND = re.compile(r"[a-z]{5,40}")
_ALL_SYLLABLES = """
a ai an ang ao ba bai ban bang bao bei ben beng bi bian biang biao bie bin bing bo bong bu ca cai can cang cao ce
cei cen ceng cha chai chan chang chao che chen cheng chi chong chou chu chua chuai chuan chuang chui chun chuo ci
cong cou cu cuan cui cun cuo da dai dan dang dao de dei den deng di dia dian diao die din ding diu dong dou du
duan dui dun duo e ei en eng er fa fan fang fei fen feng fiao fo fou fu ga gai gan gang gao ge gei gen geng gong
gou gu gua guai guan guang gui gun guo ha hai han hang hao he hei hen heng hong hou hu hua huai huan huang hui hun
huo ji jia jian jiang jiao jie jin jing jiong jiu ju juan jue jun ka kai kan kang kao ke kei ken keng kong kou ku
kua kuai kuan kuang kui kun kuo la lai lan lang lao le lei len leng li lia lian liang liao lie lin ling liu lo
long lou lu luan lun luo lv lve ma mai man mang mao me mei men meng mi mian miao mie min ming miu mo mou mu na nai
nan nang nao ne nei nen neng ni nia nian niang niao nie nin ning niu nong nou nu nuan nun nuo nv nve ou pa pai
pan pang pao pei pen peng pi pian piao pie pin ping po pou pu qi qia qian qiang qiao qie qin qing qiong qiu qu
quan que qun ran rang rao re ren reng ri rong rou ru rua ruan rui run ruo sa sai san sang sao se sen seng sha shai
shan shang shao she shei shen sheng shi shou shu shua shuai shuan shuang shui shun shuo si song sou su suan sui
sun suo ta tai tan tang tao te tei teng ti tian tiao tie ting tong tou tu tuan tui tun tuo wa wai wan wang wei wen
weng wo wong wu xi xia xian xiang xiao xie xin xing xiong xiu xu xuan xue xun ya yan yang yao ye yi yin ying yo
yong you yu yuan yue yun za zai zan zang zao ze zei zen zeng zha zhai zhan zhang zhao zhe zhei zhen zheng zhi
zhong zhou zhu zhua zhuai zhuan zhuang zhui zhun zhuo zi zong zou zu zuan zui zun zuo
"""
SYLLABLES = frozenset(_ALL_SYLLABLES.split())
"""Every way in which a character is read, but for the cry o, which would split every bao and guo; ü is written v."""
_LONGEST = max(map(len, SYLLABLES))
_FEWEST, _MOST = 3, 8
"""Syllables of a shortened name, as many as it may have characters."""
_WAYS = 4
"""So many ways to split what was typed are looked for: one more word each in the search."""
_LEFT_OUT = "(?: [a-z0-9]+ ){0,2}"
"""Between two syllables that were typed; of more the rest would be found in anything."""


@dataclass(frozen=True, slots=True)
class Index:
    """What a search looks in; all of it lower case, parts separated by spaces. ``syllables`` have a space on either
    side, so that each is found as a whole."""

    words: str
    title: str
    pinyin: str
    initials: str
    syllables: str


def index_of(code: str, body: ItemBody) -> Index:
    """Of the name, the department, the themes and the materials the words; of the name how it is read."""
    words = (code, body.name, body.name_en, body.department, *body.themes, *body.materials)
    known = _read(body.name)
    return Index(
        words=" ".join(words).casefold(),
        title=body.name.casefold(),
        pinyin="".join(known),
        initials="".join(one[0] for one in known),
        syllables=syllables_of(body.name),
    )


def syllables_of(name: str) -> str:
    """How a name is read, for :func:`spelled`."""
    return "".join(f" {one} " for one in _read(name))


def _read(name: str) -> list[str]:
    read = lazy_pinyin(name, style=Style.NORMAL)
    return [one for part in read if (one := re.sub(r"[^a-z0-9]", "", part.lower()))]


def asked(text: str) -> list[str]:
    """The parts of what somebody typed; each must be found. Full-width letters and digits are the plain ones."""
    return text.translate(_NARROW).casefold().split()[:8]


def shortened(part: str) -> list[str]:
    """For a name as people shorten it (社保卡 for 社会保障卡): what a name is like that has its signs in their order, two
    signs (医保 for 医疗保险) with one or two between them; nothing for what is too short to tell, or has other signs."""
    if not _SHORT_NAME.fullmatch(part):
        return []
    if len(part) > 2:
        return [f"%{'%'.join(part)}%"]
    return [f"%{gap.join(part)}%" for gap in ("_", "__")]


def skipping(part: str) -> str:
    """The same for first letters (sbk for 社会保障卡): a pattern of letters of which every second may have been left out;
    more of them would find anything. Empty for what is too short to tell, or has other signs."""
    return ".?".join(part) if _SHORT_LETTERS.fullmatch(part) else ""


def spelled(part: str) -> list[tuple[str, ...]]:
    """The same for what is read in full (shebaoka for 社会保障卡): its syllables, in the first ways to split it. Empty
    for what is too short to tell, or is not made of syllables."""
    needed = _needed(part) if _SHORT_SOUND.fullmatch(part) else [0]
    return list(islice(_split(part, 0, needed, _MOST), _WAYS)) if needed[0] >= _FEWEST else []


def roughly(way: tuple[str, ...]) -> str:
    """What first letters are like of a name that has the syllables of ``way`` in their order: said fast of most names
    that they have not."""
    return f"%{'%'.join(one[0] for one in way)}%"


def closely(way: tuple[str, ...]) -> str:
    """A pattern of syllables that have those of ``way``, of which few were left out in between."""
    return _LEFT_OUT.join(f" {one} " for one in way)


def _needed(part: str) -> list[int]:
    """From each place on, how many syllables the rest has at least; without any, more than can be: so that no way is
    gone in vain."""
    least = [_MOST + 1] * len(part) + [0]
    for at in range(len(part) - 1, -1, -1):
        least[at] = min(
            (least[end] + 1 for end in _reach(part, at) if part[at:end] in SYLLABLES),
            default=_MOST + 1,
        )
    return least


def _reach(part: str, at: int) -> range:
    """Where a syllable may end, the longest first."""
    return range(min(at + _LONGEST, len(part)), at, -1)


def _split(part: str, at: int, needed: list[int], most: int) -> Iterator[tuple[str, ...]]:
    if at == len(part):
        yield ()
        return
    for end in _reach(part, at):
        if part[at:end] in SYLLABLES and needed[end] < most:
            for rest in _split(part, end, needed, most - 1):
                yield (part[at:end], *rest)
