#include "files.hpp"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "kernmill/storage/file/durable.hpp"
#include "kernmill/storage/file/raw_file.hpp"
#include "rivals.hpp"

namespace kernmill::tasks {
namespace fs = std::filesystem;

void remove_together(const Communicator& comm, const fs::path& file) {
  MPI_Barrier(comm.handle());
  if (comm.is_root()) fs::remove_all(file);
  MPI_Barrier(comm.handle());
}

void forget(const Communicator& comm, const fs::path& file) {
  comm.agree([&] {
    if (!comm.is_root()) return;
    const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) throw storage::system_error(file, "open it", errno);
    const bool done = fsync(fd) == 0 && posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0;
    close(fd);
    if (!done) throw storage::system_error(file, "forget it", errno);
  });
}

double write_raw(const Communicator& comm, const fs::path& file, std::uint64_t begin,
                 std::span<const std::byte> own) {
  constexpr std::size_t piece = std::size_t{1} << 20U;
  comm.agree([&] {
    if (comm.is_root()) storage::create_empty(file, file);
  });
  std::vector<std::byte> back(piece);
  const double seconds = seconds_of(comm, [&] {
    const storage::RawFile raw(file, file, storage::RawFile::Access::write);
    for (std::size_t at = 0; at < own.size(); at += piece)
      raw.write(begin + at, own.subspan(at, std::min(piece, own.size() - at)));
    raw.sync();
    for (std::size_t at = 0; at < own.size(); at += piece)
      raw.read(begin + at, std::span(back).first(std::min(piece, own.size() - at)));
  });
  remove_together(comm, file);
  return seconds;
}

Digits::Digits(const Communicator& comm, std::uint64_t rows, std::uint64_t columns)
    : comm_(comm),
      rows_(rows),
      own_(storage::even_share(rows, comm.rank(), comm.size())),
      features_(own_.count() * columns),
      target_(own_.count()) {
  for (std::uint64_t i = 0; i < columns; ++i) schema_.features.push_back(fmt::format("pixel_{}", i));
  schema_.target = "digit";
  schema_.target_kind = storage::TargetKind::classes;
  for (int i = 0; i < 10; ++i) schema_.classes.push_back(fmt::format("{}", i));
  for (std::size_t i = 0; i < features_.size(); ++i) features_[i] = static_cast<double>(i * 7919 % 256) / 256;
  for (std::size_t i = 0; i < target_.size(); ++i) target_[i] = static_cast<double>(i % 10);
}

double Digits::write(const fs::path& file, const std::optional<storage::Key>& key) const {
  const std::vector<std::uint64_t> numbers(own_.count(), 0);
  return seconds_of(comm_, [&] {
    storage::DatasetWriter writer(comm_.handle(), file, schema_, {rows_, 0, 0}, {key, "{}"});
    writer.write(storage::Part::train, own_.begin, features_, target_, numbers);
    writer.commit();
  });
}

}  // namespace kernmill::tasks
