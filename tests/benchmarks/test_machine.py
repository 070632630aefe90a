"""Tests of environments, versions and properties of the libraries."""

import numpy as np
import threadpoolctl

import convlab
from benchmarks import libraries, machine
from benchmarks.timing import clock_for

FOUND = {
    "PATH": "/bin", "HOME": "/", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
    "GLIBC_TUNABLES": "glibc.malloc.mmap_max=0", "MALLOC_ARENA_MAX": "1",
}  # fmt: skip
HELD = {"OPENBLAS_CORETYPE": "Haswell", "OPENBLAS_L2_SIZE": "512"}
PLAIN = {"PATH": "/bin", "HOME": "/"}
USUAL = {"natural": PLAIN, "huge pages": PLAIN | {"THP_MEM_ALLOC_ENABLE": "1"}}


def test_a_natural_environment_has_nothing_that_changes_the_libraries():
    assert machine.environments(FOUND, None) == USUAL
    pages = {"THP_MEM_ALLOC_ENABLE": "0", "NUMPY_MADVISE_HUGEPAGE": "0"}
    assert machine.environments(FOUND | pages, None) == USUAL


def test_variables_that_choose_kernels_are_measured_with_and_without():
    chosen = machine.environments(FOUND | HELD, None)
    assert chosen == USUAL | {"as found": PLAIN | HELD}


def test_a_core_type_can_be_chosen():
    held = {"OPENBLAS_CORETYPE": "Haswell"}
    assert machine.environments(FOUND, "Haswell") == USUAL | {"Haswell": PLAIN | held}
    assert list(machine.environments(held, "Haswell")) == [*USUAL, "as found"]  # not twice


def test_the_blas_is_the_one_behind_numpy():
    pools = [
        {"of": "scipy", "user_api": "blas", "internal_api": "openblas", "version": "1"},
        {"of": "torch", "user_api": "openmp", "internal_api": "openmp", "version": None},
        {"of": "numpy", "user_api": "blas", "internal_api": "openblas", "version": "2",
         "architecture": "Zen"},
    ]  # fmt: skip
    assert libraries.blas(pools) == "openblas 2, Zen kernels"
    assert libraries.blas(pools[:1]) == "openblas 1, unknown kernels"
    assert libraries.blas(pools[1:2]) == "not visible to threadpoolctl"


def test_thread_pools_are_listed_without_paths():
    pools = libraries.pools()
    assert len(pools) == len(threadpoolctl.threadpool_info())
    assert not any("/" in str(value) for pool in pools for value in pool.values())


def test_a_matrix_product_has_a_speed():
    reached = libraries.sgemm(clock_for(1), size=64)
    assert set(reached) == {"numpy", "torch"}
    assert all(value > 0 for value in reached.values())


def test_the_load_of_this_process_is_not_that_of_others():
    with machine.Others() as others:
        a = np.ones((300, 300))
        for _ in range(20):
            a @ a
    assert others.cores is None or 0 <= others.cores < machine.describe()["cores"] + 1


def test_versions_are_those_that_are_imported():
    versions = machine.versions()
    assert versions["numpy"] == np.__version__
    assert versions["convlab"] == convlab.__version__
    assert set(versions) >= {"python", "convlab", "torch", "scipy", "jax"}
