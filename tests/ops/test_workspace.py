"""Scratch memory: lent without overlap, kept within bounds, one buffer for each thread."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convlab.ops import workspace as module
from convlab.ops.workspace import ALIGNMENT, LIMIT, release_workspace, workspace


@pytest.fixture(autouse=True)
def cold_start():
    release_workspace()
    yield
    assert module._local.used == 0
    release_workspace()


def kept():
    """Bytes that this thread keeps."""
    return module._local.buffer.size


def warm_up(size):
    """Make the buffer hold `size` bytes: it grows when the call after a large one begins."""
    with workspace(np.uint8) as take:
        take(size)
    with workspace(np.uint8):
        pass


shapes = st.lists(st.lists(st.integers(0, 20), max_size=4), min_size=1, max_size=6)


@given(shapes=shapes, dtype=st.sampled_from(["f4", "f8", "u1", "c16"]), room=st.integers(0, 9000))
def test_arrays_have_the_shape_and_dtype_asked_for_and_share_nothing(shapes, dtype, room):
    """Whether the buffer holds all of them, some or none."""
    release_workspace()
    warm_up(room)
    with workspace(dtype) as take:
        arrays = [take(*shape) for shape in shapes]
        for number, (array, shape) in enumerate(zip(arrays, shapes, strict=True)):
            assert array.shape == tuple(shape)
            assert array.dtype == np.dtype(dtype)
            assert array.flags.c_contiguous
            array[...] = number
        for number, array in enumerate(arrays):
            assert (array == number).all()


def test_the_second_call_finds_its_memory_ready_and_aligned():
    for expected in (False, True, True):
        with workspace(np.float64) as take:
            for array in (take(3), take(5, 7), take(1)):
                assert np.shares_memory(array, module._local.buffer) == expected
                assert not expected or array.ctypes.data % ALIGNMENT == 0


def test_what_does_not_fit_is_fresh_memory_and_the_next_call_has_room():
    warm_up(1000)
    with workspace(np.uint8) as take:
        assert np.shares_memory(take(900), module._local.buffer)
        assert not np.shares_memory(take(5000), module._local.buffer)
    with workspace(np.uint8) as take:
        assert np.shares_memory(take(900), module._local.buffer)
        assert np.shares_memory(take(5000), module._local.buffer)


def test_at_most_the_limit_is_kept():
    warm_up(LIMIT + 1)
    assert kept() == LIMIT
    with workspace(np.uint8) as take:
        assert take(LIMIT).size == LIMIT
        assert take(LIMIT + 1).size == LIMIT + 1


def test_a_small_call_does_not_shrink_the_buffer():
    warm_up(4096)
    warm_up(64)
    assert kept() == 4096


def test_an_inner_block_does_not_touch_the_arrays_of_the_outer_one():
    warm_up(4096)
    with workspace(np.float32) as take:
        outer = take(100)
        outer[...] = 1
        with workspace(np.float64) as lend:
            inner = lend(100)
            inner[...] = 2
        again = take(100)
        again[...] = 3
        assert (outer == 1).all()
        assert np.shares_memory(inner, again)  # given back when the inner block ended


@pytest.mark.parametrize("error", [MemoryError, KeyboardInterrupt, ValueError])
def test_an_error_inside_a_block_gives_everything_back(error):
    warm_up(4096)
    with pytest.raises(error), workspace(np.uint8) as take:  # noqa: PT012
        take(100)
        with workspace(np.uint8) as lend:
            lend(100)
            raise error
    assert module._local.used == 0
    with workspace(np.uint8) as take:
        first = take(10)
        assert first.ctypes.data == module._local.buffer.ctypes.data


def test_release_gives_the_buffer_back():
    warm_up(4096)
    release_workspace()
    assert kept() == 0
    with workspace(np.uint8) as take:
        take(1)
    assert kept() == 0  # what was asked for before the release is forgotten as well


def test_release_inside_a_block_leaves_the_lent_arrays_alone():
    warm_up(4096)
    with workspace(np.uint8) as take:
        array = take(100)
        array[...] = 1
        release_workspace()
        other = take(100)
        other[...] = 2
        assert (array == 1).all()


def test_each_thread_has_a_buffer_of_its_own():
    warm_up(4096)
    mine = module._local.buffer
    seen = {}

    def work():
        seen["cold"] = kept()
        warm_up(128)
        seen["warm"] = kept()
        seen["shared"] = np.shares_memory(module._local.buffer, mine)
        release_workspace()

    with workspace(np.uint8) as take:
        take(100)
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert seen == {"cold": 0, "warm": 128, "shared": False}
    assert module._local.buffer is mine
