#include "kernmill/storage/commit.hpp"

namespace kernmill::storage {

void fail_at(std::string_view step, const std::filesystem::path& file) {
  if (const int error = fault_at(step); error != 0) throw system_error(file, step, error);
}

void commit_file(const std::filesystem::path& file, const std::function<void(hdf5::File&)>& fill,
                 const std::function<void(const hdf5::File&)>& verify) {
  const auto temporary = temporary_beside(file);
  try {
    fail_at("create", file);
    remove_quietly(temporary);
    {
      auto out = hdf5::File::create(temporary, file);
      fail_at("write", file);
      fill(out);
      out.close();
    }
    sync_file(temporary);
    fail_at("verify", file);
    verify(hdf5::File::open(temporary, file));
    publish(temporary, file);
  } catch (...) {
    remove_quietly(temporary);
    throw;
  }
}

}  // namespace kernmill::storage
