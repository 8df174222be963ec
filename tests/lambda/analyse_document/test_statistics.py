"""Text statistics: known texts, and what holds for every text."""

from decimal import Decimal

import pytest
from analyse_document.statistics import FREQUENT_TERMS, WORDS_A_MINUTE, analyse
from boto3.dynamodb.types import TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

ENGLISH = (
    "The contract was signed by both parties. It is valid for two years, and the contract can be renewed! "
    "Is that what they wanted?\n\nThe lawyer thinks so."
)
LANGUAGES = {
    "en": ENGLISH,
    "de": "Der Vertrag wurde von den Parteien unterschrieben und ist für zwei Jahre gültig, aber nicht mehr.",
    "fr": "Le contrat a été signé par les deux parties et il est valable pour une durée de deux ans.",
    "es": "El contrato fue firmado por las dos partes y es válido por un plazo de dos años, pero no más.",
    "it": "Il contratto è stato firmato dalle due parti e la durata è di due anni, ma non si rinnova.",
    "nl": "Het contract is door de partijen getekend en het wordt voor twee jaar niet meer verlengd.",
    "pt": "O contrato foi assinado pelas duas partes e não é renovado até ao fim de dois anos.",
}


def test_counts_a_known_text() -> None:
    found = analyse(ENGLISH)
    assert (found.words, found.sentences, found.paragraphs) == (28, 4, 2)
    assert found.characters == len(ENGLISH)
    assert found.unique_words == 24
    assert found.words_per_sentence == Decimal("7.00")
    assert found.frequent_terms[0] == ("contract", 2)
    assert found.reading_minutes == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_guesses_the_language(language: str) -> None:
    assert analyse(LANGUAGES[language]).language == language


@pytest.mark.parametrize(
    "text", ["", "   \n", "xyzzy plugh frobnicate", "12 34", "契約書", "\u0434\u043e\u0433\u043e\u0432\u043e\u0440"]
)
def test_admits_not_knowing_the_language(text: str) -> None:
    found = analyse(text)
    assert found.language == "unknown"
    assert found.reading_ease is None
    assert "reading_ease" not in found.as_item()


def test_reading_ease_follows_the_formula() -> None:
    found = analyse("The cat sat on the mat. It was fat.")
    assert (found.words_per_sentence, found.syllables_per_word) == (Decimal("4.50"), Decimal("1.00"))
    assert found.reading_ease == Decimal("117.67")


def test_hard_text_reads_harder_than_easy_text() -> None:
    easy = analyse("The cat sat on the mat. It was fat. The dog was big.").reading_ease
    hard = analyse("The indemnification obligations of the aforementioned contractual counterparties are irrevocable.")
    assert easy is not None
    assert hard.reading_ease is not None
    assert hard.reading_ease < easy


def test_german_has_its_own_formula() -> None:
    assert analyse(LANGUAGES["de"]).reading_ease is not None
    assert analyse(LANGUAGES["fr"]).reading_ease is None


def test_frequent_terms_leave_out_common_and_short_words() -> None:
    found = analyse("The the the of of and and contract contract ab ab ab party")
    assert found.frequent_terms == (("contract", 2), ("party", 1))


def test_reading_minutes_round_up() -> None:
    assert analyse("word " * (WORDS_A_MINUTE + 1)).reading_minutes == 2


def test_an_unfinished_sentence_counts_and_an_abbreviation_inside_a_word_does_not() -> None:
    assert analyse("One. Two is example.com and 3.5 more").sentences == 2


@given(st.text(max_size=300))
def test_every_text_yields_sound_numbers_that_the_table_can_store(text: str) -> None:
    found = analyse(text)
    assert 0 <= found.unique_words <= found.words <= max(1, len(text))
    assert (found.words == 0) == (found.sentences == 0)
    assert len(found.frequent_terms) <= FREQUENT_TERMS
    counts = [count for _, count in found.frequent_terms]
    assert counts == sorted(counts, reverse=True)
    TypeSerializer().serialize(found.as_item())
