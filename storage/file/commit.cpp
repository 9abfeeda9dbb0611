#include "kernmill/storage/file/commit.hpp"

namespace kernmill::storage {

void fail_at(std::string_view step, const std::filesystem::path& file) {
  if (const int error = fault_at(step); error != 0) throw system_error(file, step, error);
}

void commit_file(const std::filesystem::path& file,
                 const std::function<void(const std::filesystem::path& temporary)>& fill,
                 const std::function<void(const std::filesystem::path& temporary)>& verify) {
  const auto temporary = temporary_beside(file);
  try {
    fill(temporary);
    verify(temporary);
    publish_read_only(temporary, file);
  } catch (...) {
    remove_quietly(temporary);
    throw;
  }
}

}  // namespace kernmill::storage
