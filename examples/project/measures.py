"""The module beside the main file."""


def length(word):
    return len(word)


def plural(number, noun):
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
