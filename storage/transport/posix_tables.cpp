#include "kernmill/storage/file/raw_file.hpp"
#include "kernmill/storage/transport/table_file.hpp"

namespace kernmill::storage {
namespace {

constexpr std::uint64_t posix_piece = std::uint64_t{1} << 20;

/// Each rank's own business.
class PosixTables : public TableFile {
 public:
  PosixTables(const std::filesystem::path& file, const std::filesystem::path& named)
      : file_(file, named, RawFile::Access::write) {}

  [[nodiscard]] std::vector<Extent> rounds_to_write(const Extent& own) const override {
    return cut(own, posix_piece);
  }
  [[nodiscard]] std::vector<Extent> rounds_to_read(const Extent& own) const override {
    return cut(own, posix_piece);
  }
  // What was just encrypted and summed is still in the cache when it is written, and the disk is at it while
  // the next one is made.
  void write(const Place& at, std::span<const std::byte> bytes) override {
    if (bytes.empty()) return;
    file_.write(at.begin + at.offset, bytes);
    const std::uint64_t end = at.offset + bytes.size();
    if (end % posix_piece == 0) file_.start_sync(at.begin + end - posix_piece, posix_piece);
  }
  void read(const Place& at, std::span<std::byte> out) override { file_.read(at.begin + at.offset, out); }
  void sync() override { file_.sync(); }

 private:
  RawFile file_;
};

}  // namespace

std::unique_ptr<TableFile> open_posix(const std::filesystem::path& file, const std::filesystem::path& named) {
  return std::make_unique<PosixTables>(file, named);
}

}  // namespace kernmill::storage
