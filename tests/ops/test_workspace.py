"""Scratch memory: allocated without overlap, kept within bounds, one buffer for each thread."""

import gc
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convlab.ops import workspace as module
from convlab.ops.workspace import ALIGNMENT, MAX_BYTES, release_workspace, workspace


@pytest.fixture(autouse=True)
def cold_start():
    release_workspace()
    yield
    assert (module._local.used, module._local.requested) == (0, 0)
    assert module._local.outermost() is None
    release_workspace()


def kept():
    """Return the number of bytes that this thread keeps."""
    return module._local.buffer.size


def warm_up(size):
    """Make the buffer hold `size` bytes: it grows when the call after a large one begins."""
    with workspace(np.uint8) as allocate:
        allocate(size)
    with workspace(np.uint8):
        pass


shapes = st.lists(st.lists(st.integers(0, 20), max_size=4), min_size=1, max_size=6)


@given(shapes=shapes, dtype=st.sampled_from(["f4", "f8", "u1", "c16"]), room=st.integers(0, 9000))
def test_arrays_have_the_requested_shape_and_dtype_and_share_nothing(shapes, dtype, room):
    """Whether the buffer holds all of them, some or none."""
    release_workspace()
    warm_up(room)
    with workspace(dtype) as allocate:
        arrays = [allocate(*shape) for shape in shapes]
        for number, (array, shape) in enumerate(zip(arrays, shapes, strict=True)):
            assert array.shape == tuple(shape)
            assert array.dtype == np.dtype(dtype)
            assert array.flags.c_contiguous
            array[...] = number
        for number, array in enumerate(arrays):
            assert (array == number).all()


def test_the_second_call_uses_the_buffer_and_is_aligned():
    for expected in (False, True, True):
        with workspace(np.float64) as allocate:
            for array in (allocate(3), allocate(5, 7), allocate(1)):
                assert np.shares_memory(array, module._local.buffer) == expected
                assert not expected or array.ctypes.data % ALIGNMENT == 0


def test_what_does_not_fit_is_fresh_memory_and_the_next_call_has_space():
    warm_up(1000)
    with workspace(np.uint8) as allocate:
        assert np.shares_memory(allocate(900), module._local.buffer)
        assert not np.shares_memory(allocate(5000), module._local.buffer)
    with workspace(np.uint8) as allocate:
        assert np.shares_memory(allocate(900), module._local.buffer)
        assert np.shares_memory(allocate(5000), module._local.buffer)


def test_the_buffer_grows_to_the_most_that_was_in_use_at_a_time():
    """Blocks inside a block, one after the other, use the same memory."""
    with workspace(np.uint8) as allocate:
        allocate(1024)
        for size in (2048, 4096, 2048):
            with workspace(np.uint8) as allocate_inner:
                allocate_inner(size)
    with workspace(np.uint8) as allocate:
        assert kept() == 1024 + 4096
        outer = allocate(1024)
        with workspace(np.uint8) as allocate_inner:
            assert np.shares_memory(allocate_inner(4096), module._local.buffer)
        assert np.shares_memory(outer, module._local.buffer)


def test_what_can_never_fit_does_not_make_the_buffer_grow():
    with workspace(np.uint8) as allocate:
        allocate(100 * MAX_BYTES // 99)
        allocate(64)
    warm_up(0)
    assert kept() == 64


def test_at_most_the_limit_is_kept():
    with workspace(np.uint8) as allocate:
        allocate(MAX_BYTES // 2)
        allocate(MAX_BYTES)
    warm_up(0)
    assert kept() == MAX_BYTES
    with workspace(np.uint8) as allocate:
        assert allocate(MAX_BYTES).size == MAX_BYTES
        assert allocate(MAX_BYTES + 1).size == MAX_BYTES + 1


def test_a_small_call_does_not_shrink_the_buffer():
    warm_up(4096)
    warm_up(64)
    assert kept() == 4096


def test_an_inner_block_does_not_touch_the_arrays_of_the_outer_one():
    warm_up(4096)
    with workspace(np.float32) as allocate:
        outer = allocate(100)
        outer[...] = 1
        with workspace(np.float64) as allocate_inner:
            inner = allocate_inner(100)
            inner[...] = 2
        again = allocate(100)
        again[...] = 3
        assert (outer == 1).all()
        assert np.shares_memory(inner, again)  # given back when the inner block ended


@pytest.mark.parametrize("error", [MemoryError, KeyboardInterrupt, ValueError])
def test_an_error_inside_a_block_frees_its_memory(error):
    warm_up(4096)

    def interrupted():
        with workspace(np.uint8) as allocate:
            allocate(100)
            with workspace(np.uint8) as allocate_inner:
                allocate_inner(100)
                raise error

    with pytest.raises(error):
        interrupted()
    assert module._local.used == 0
    with workspace(np.uint8) as allocate:
        first = allocate(10)
        assert first.ctypes.data == module._local.buffer.ctypes.data


def test_an_interrupted_block_frees_nothing_later():
    """Ctrl-C may come just before the end of a block, and the traceback keep it for a while."""
    warm_up(4096)
    outer, inner = workspace(np.uint8), workspace(np.uint8)
    outer.__enter__()(100)
    inner.__enter__()(100)
    outer.__exit__(KeyboardInterrupt, None, None)
    with workspace(np.uint8) as allocate:
        first = allocate(1000)
        del inner
        gc.collect()
        assert not np.shares_memory(first, allocate(1000))


def test_a_block_that_never_ended_counts_until_it_is_deleted():
    warm_up(4096)
    block = workspace(np.uint8)
    block.__enter__()(3000)
    with workspace(np.uint8) as allocate:  # within it, as far as anyone can tell
        assert not np.shares_memory(allocate(3000), module._local.buffer)
    del block
    with workspace(np.uint8) as allocate:
        assert np.shares_memory(allocate(3000), module._local.buffer)


def test_release_frees_the_buffer():
    warm_up(4096)
    release_workspace()
    assert kept() == 0
    with workspace(np.uint8) as allocate:
        allocate(1)
    assert kept() == 0  # what was asked for before the release is forgotten as well


def test_release_inside_a_block_leaves_its_arrays_intact():
    warm_up(4096)
    with workspace(np.uint8) as allocate:
        array = allocate(100)
        array[...] = 1
        release_workspace()
        other = allocate(100)
        other[...] = 2
        assert (array == 1).all()


def test_each_thread_has_its_own_buffer():
    warm_up(4096)
    mine = module._local.buffer
    results = {}

    def work():
        results["cold"] = kept()
        warm_up(128)
        results["warm"] = kept()
        results["shared"] = np.shares_memory(module._local.buffer, mine)
        release_workspace()

    with workspace(np.uint8) as allocate:
        allocate(100)
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert results == {"cold": 0, "warm": 128, "shared": False}
    assert module._local.buffer is mine
