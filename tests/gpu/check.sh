#!/bin/bash
# Builds the kernels, their tests and benchmarks for the GPU of this machine, runs them, and, where the machine has
# what the whole of Kernmill needs, trains a network on the GPU.
#
#   tests/gpu/check.sh KOKKOS [SOURCES]
#
# KOKKOS   an installation of Kokkos with CUDA (its prefix), or Kokkos' sources
# SOURCES  a folder with the sources of what this machine lacks: googletest/, fmt/
#
# Needs nvcc, CMake and a C++ compiler. Without a GPU everything is built and nothing is run; KERNMILL_GPU_ARCH
# (HOPPER90, AMPERE80...) then says what for. The build is in build/gpu; JOBS says how many compilers run at once.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
build=$root/build/gpu
prefix=$build/prefix
jobs=${JOBS:-$(nproc)}

die() { echo "check.sh: $*" >&2; exit 1; }
say() { printf '%4d s  %s\n' "$SECONDS" "$*"; }

# install_sources NAME FOLDER [CMAKE OPTION...]
install_sources() {
  local name=$1 folder=$2
  shift 2
  mkdir -p "$build/$name"
  cmake -S "$folder" -B "$build/$name" -DCMAKE_INSTALL_PREFIX="$prefix" -DCMAKE_BUILD_TYPE=Release "$@" \
    > "$build/$name.log" 2>&1 &&
    cmake --build "$build/$name" --target install -j "$jobs" >> "$build/$name.log" 2>&1 ||
    { tail -20 "$build/$name.log" >&2; die "$name could not be built from $folder; all it said is in $build/$name.log"; }
  say "$name is built"
}

arch_of() {  # a compute capability such as 9.0
  case $1 in
    7.0) echo VOLTA70 ;; 7.5) echo TURING75 ;; 8.0) echo AMPERE80 ;; 8.6) echo AMPERE86 ;; 8.9) echo ADA89 ;;
    9.0) echo HOPPER90 ;; 10.0) echo BLACKWELL100 ;; 12.0) echo BLACKWELL120 ;;
    *) die "no name is known here for GPUs of compute capability $1: set KERNMILL_GPU_ARCH to Kokkos' one" ;;
  esac
}

[ $# -ge 1 ] || die "usage: tests/gpu/check.sh KOKKOS [SOURCES]"
command -v nvcc > /dev/null || PATH=$PATH:/usr/local/cuda/bin
command -v nvcc > /dev/null || die "nvcc is not on the PATH, and not in /usr/local/cuda/bin"
for folder in "$@"; do [ -d "$folder" ] || die "there is no folder $folder"; done
kokkos=$(cd "$1" && pwd)
sources=$(cd "${2:-$root}" && pwd)
mkdir -p "$prefix"

has_gpu=no
if capability=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2> /dev/null | head -1) &&
   [ -n "$capability" ]; then
  has_gpu=yes
  arch=${KERNMILL_GPU_ARCH:-$(arch_of "$capability")}
  say "$(nvidia-smi --query-gpu=name --format=csv,noheader | head -1), which Kokkos calls $arch"
else
  arch=${KERNMILL_GPU_ARCH:-HOPPER90}
  say "no GPU here: what is built for $arch is not run"
fi

if [ -e "$kokkos/bin/nvcc_wrapper" ] && [ ! -e "$kokkos/core" ]; then
  export Kokkos_ROOT=$kokkos
elif [ -e "$kokkos/CMakeLists.txt" ]; then
  [ -e "$prefix/bin/nvcc_wrapper" ] || install_sources kokkos "$kokkos" -DKokkos_ENABLE_CUDA=ON \
    -DKokkos_ENABLE_SERIAL=ON "-DKokkos_ARCH_$arch=ON" -DCMAKE_CXX_STANDARD=20 \
    "-DCMAKE_CXX_COMPILER=$kokkos/bin/nvcc_wrapper"
  export Kokkos_ROOT=$prefix
else
  die "$kokkos is neither an installation of Kokkos with CUDA nor its sources"
fi
for name in googletest fmt; do
  [ ! -e "$sources/$name/CMakeLists.txt" ] || [ -e "$build/$name.log" ] ||
    install_sources "$name" "$sources/$name" -DFMT_TEST=OFF -DFMT_DOC=OFF
done

cd "$root"
export CMAKE_PREFIX_PATH=$prefix${CMAKE_PREFIX_PATH:+:$CMAKE_PREFIX_PATH}
cmake -S . -B "$build/kernels" -DKERNMILL_COMPONENTS=kernels -DCMAKE_BUILD_TYPE=RelWithDebInfo > "$build/kernels.log" 2>&1 ||
  { tail -20 "$build/kernels.log" >&2; die "the kernels could not be configured"; }
cmake --build "$build/kernels" -j "$jobs" --target test_kernels bench_device >> "$build/kernels.log" 2>&1 ||
  { grep -m 20 -E 'error|rror:' "$build/kernels.log" >&2; die "the kernels do not compile: $build/kernels.log"; }
say "the kernels' tests and benchmarks are built"
if [ $has_gpu = yes ]; then
  "$build/kernels/bin/test_kernels" --gtest_brief=1
  say "the kernels' tests have passed on the GPU and on the host"
  "$build/kernels/bin/bench_device"
  if python3 -c 'import torch' 2> /dev/null; then
    python3 tests/benchmarks/device.py "$build/kernels/bin/bench_device"
  else
    say "PyTorch is not there: the step of a network is measured alone"
    "$build/kernels/bin/bench_device" step 512 784 1024 1024 10
  fi
fi

# The whole of it, where MPI, HDF5 and the rest are installed.
if ! cmake -S . -B "$build/whole" "-DKERNMILL_COMPONENTS=orchestrator;kernels;storage;tasks" -DBUILD_TESTING=OFF \
     -DCMAKE_BUILD_TYPE=RelWithDebInfo > "$build/whole.log" 2>&1; then
  say "kernmill-task is left out: $(grep -m 1 -A 2 'CMake Error' "$build/whole.log" | tr -s ' \n' ' ')"
  exit 0
fi
cmake --build "$build/whole" -j "$jobs" --target kernmill kernmill-task >> "$build/whole.log" 2>&1 ||
  { grep -m 20 -E 'error|rror:' "$build/whole.log" >&2; die "kernmill-task does not compile: $build/whole.log"; }
say "kernmill-task is built"
if [ $has_gpu = yes ]; then
  "$build/whole/bin/kernmill" run workflows/digits_mlp.yaml --runs "$build/runs" --no-cache \
    --set '+stages.network.resources={ntasks: 1, gpus_per_task: 1}'
  say "a network was trained on the GPU"
fi
