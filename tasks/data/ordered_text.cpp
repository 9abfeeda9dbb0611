#include "kernmill/tasks/data/ordered_text.hpp"

#include "kernmill/storage/durable.hpp"

namespace kernmill::tasks {

void write_in_rank_order(const Communicator& comm, const std::filesystem::path& file,
                         const std::string& text) {
  const auto temporary = storage::temporary_beside(file);
  const std::uint64_t offset = comm.exscan(std::uint64_t{text.size()});
  const std::uint64_t total = comm.allreduce(std::uint64_t{text.size()}, Reduction::sum);
  const auto on_root = [&](const auto& work) {
    comm.agree([&] {
      if (comm.is_root()) work();
    });
  };
  try {
    on_root([&] {
      storage::create_empty(temporary, file);
      storage::reserve_space(temporary, total);
    });
    comm.agree([&] { storage::write_piece(temporary, file, offset, text); });
    on_root([&] { storage::publish(temporary, file); });
  } catch (...) {
    if (comm.is_root()) storage::remove_quietly(temporary);
    throw;
  }
}

std::string csv_field(const std::string& text) {
  const bool plain =
      text.find_first_of("\",\r\n") == std::string::npos && !text.starts_with(' ') && !text.ends_with(' ');
  if (plain) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

}  // namespace kernmill::tasks
