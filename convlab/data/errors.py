"""What is said when a data set cannot be had."""


class DataError(RuntimeError):
    """A data set is not there, is damaged, or cannot be stored.

    The message is one sentence for a person: which file, what is wrong with it, what to do.
    """
