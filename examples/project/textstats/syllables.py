"""Syllables, roughly: groups of vowels, a final silent e apart."""

import re

VOWELS = re.compile("[aeiouy]+")


def count(word):
    groups = len(VOWELS.findall(word))
    silent = word.endswith("e") and groups > 1
    return max(1, groups - silent)
