"""Statistics of a text: pure, in memory, standard library only.

The Flesch reading ease (0 hard to 100 easy) is calibrated for English and German and given for those two alone.
Source: R. Flesch, "A new readability yardstick", 1948; T. Amstad, "Wie verstaendlich sind unsere Zeitungen?", 1978.
"""

import re
from collections import Counter
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

FREQUENT_TERMS = 10
SHORTEST_TERM = 3
WORDS_A_MINUTE = 238

_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
_SENTENCE_END = re.compile(r"[.!?\u2026\u3002]+[\"'\u201d\u2019)\]]*(?=\s|$)")
_PARAGRAPH = re.compile(r"\n\s*\n")
_VOWELS = re.compile(r"[aeiouy\u00e4\u00f6\u00fc\u00e9\u00e8\u00ea]+")

# The commonest function words of a language: enough to tell apart texts of a few sentences.
_COMMON_WORDS = {
    "de": "der die das und ist nicht ein eine zu den von mit sich des auf für im dem wird auch als an werden aus er hat"
    " dass sie nach bei um noch wie über einen so zum war haben nur oder aber vor zur bis mehr durch",
    "en": "the of and to in is that it was for on are as with his they be at this have from or had by but not what all"
    " were we when your can said there an which their if will each about how up out them she these so",
    "es": "el la de que y en un ser se no haber por con su para como estar tener le lo pero más hacer o este ese si ya"
    " los las una del al es son fue muy también desde hasta donde cuando sin sobre entre",
    "fr": "le la les de des du et à un une être il elle que qui ne pas en ce dans pour sur avec se au par plus est sont"
    " ont mais ou nous vous ils cette sa ses leur aux comme tout fait été",
    "it": "il lo la i gli le di del della e è un una che non in per con si da al alla sono come più ma anche nel nella"
    " ha questo questa o se ci dei delle dal dalla essere hanno suo sua",
    "nl": "de het een en van in is dat op te zijn met voor niet aan er om ook als dan maar bij of uit nog naar heeft die"
    " worden wordt deze hij zij was door over tot ze wat had kan",
    "pt": "o a os as de do da dos das e que em um uma para com não por mais se no na nos nas como mas ao foi ele ela ou"
    " são é sua seu também pelo pela até isso entre muito já está",
}
_COMMON = {language: frozenset(words.split()) for language, words in _COMMON_WORDS.items()}
_LEAST_COMMON_SHARE = Decimal("0.12")
_STOP_WORDS = frozenset().union(*_COMMON.values())

# ease = constant - sentence_weight * words a sentence - syllable_weight * syllables a word
_READING_EASE = {
    "en": (Decimal("206.835"), Decimal("1.015"), Decimal("84.6")),
    "de": (Decimal(180), Decimal(1), Decimal("58.5")),
}


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """What was counted. Decimals carry two places."""

    characters: int
    words: int
    unique_words: int
    sentences: int
    paragraphs: int
    words_per_sentence: Decimal
    syllables_per_word: Decimal
    reading_minutes: int
    language: str
    reading_ease: Decimal | None
    frequent_terms: tuple[tuple[str, int], ...]

    def as_item(self) -> dict[str, Any]:
        """The form that is stored and shown; a reading ease that cannot be given is absent."""
        item = {name: value for name, value in vars(self).items() if value is not None}
        item["frequent_terms"] = [{"term": term, "count": count} for term, count in self.frequent_terms]
        return item


def analyse(text: str) -> Statistics:
    """The statistics of `text`, which may be empty."""
    words = [word.casefold().replace("\u2019", "'") for word in _WORD.findall(text)]
    sentences = _count_sentences(text) if words else 0
    syllables = sum(_count_syllables(word) for word in words)
    language = guess_language(words)
    per_sentence = _ratio(len(words), sentences)
    per_word = _ratio(syllables, len(words))
    terms = Counter(word for word in words if len(word) >= SHORTEST_TERM and word not in _STOP_WORDS)
    return Statistics(
        characters=len(text),
        words=len(words),
        unique_words=len(set(words)),
        sentences=sentences,
        paragraphs=sum(1 for part in _PARAGRAPH.split(text) if part.strip()),
        words_per_sentence=per_sentence,
        syllables_per_word=per_word,
        reading_minutes=-(-len(words) // WORDS_A_MINUTE),
        language=language,
        reading_ease=_reading_ease(language, per_sentence, per_word),
        frequent_terms=tuple(sorted(terms.items(), key=lambda found: (-found[1], found[0]))[:FREQUENT_TERMS]),
    )


def guess_language(words: list[str]) -> str:
    """The language whose commonest words make up the largest share, or `unknown` below an eighth or on a tie."""
    shares = sorted(
        ((sum(1 for word in words if word in common), name) for name, common in _COMMON.items()), reverse=True
    )
    (best, name), (second, _) = shares[0], shares[1]
    if best == second or Decimal(best) < _LEAST_COMMON_SHARE * len(words):
        return "unknown"
    return name


def _count_sentences(text: str) -> int:
    ends = list(_SENTENCE_END.finditer(text))
    rest = text[ends[-1].end() :] if ends else text
    return len(ends) + (1 if _WORD.search(rest) else 0)


def _count_syllables(word: str) -> int:
    groups = len(_VOWELS.findall(word))
    silent = word.endswith("e") and not word.endswith("le") and groups > 1
    return max(1, groups - silent)


def _reading_ease(language: str, per_sentence: Decimal, per_word: Decimal) -> Decimal | None:
    if language not in _READING_EASE:
        return None
    constant, sentence_weight, syllable_weight = _READING_EASE[language]
    return _rounded(constant - sentence_weight * per_sentence - syllable_weight * per_word)


def _ratio(count: int, of: int) -> Decimal:
    return _rounded(Decimal(count) / Decimal(of)) if of else Decimal(0)


def _rounded(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"), rounding=ROUND_HALF_EVEN)
