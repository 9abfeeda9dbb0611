#include "kernmill/storage/hdf5/library.hpp"

#include <fmt/format.h>

#include "kernmill/storage/hdf5/hdf5.hpp"

namespace kernmill::storage {

std::string library_version() {
  unsigned major = 0, minor = 0, release = 0;
  hdf5::check(H5get_libversion(&major, &minor, &release), {"HDF5", "tell its version"});
#ifdef H5_HAVE_PARALLEL
  constexpr const char* kind = "parallel";
#else
  constexpr const char* kind = "serial";
#endif
  return fmt::format("HDF5 {}.{}.{}, {}", major, minor, release, kind);
}

}  // namespace kernmill::storage
