#include <algorithm>
#include <numeric>
#include <vector>

#include <fmt/format.h>

#include "kernmill/storage/commit.hpp"
#include "kernmill/storage/crc32c.hpp"
#include "kernmill/storage/dataset_file.hpp"
#include "kernmill/storage/format.hpp"

namespace kernmill::storage {
namespace {

/// What this rank wrote, to be compared with what is on disk before the file gets its name.
struct Piece {
  Part part;
  Table table;
  hdf5::Rows rows;
  std::uint32_t checksum;
};

void create_structure(const std::filesystem::path& temporary, const std::filesystem::path& file,
                      const Schema& schema, const PartSizes& sizes) {
  fail_at("create", file);
  remove_quietly(temporary);
  auto out = hdf5::File::create(temporary, file);
  write_format(out, dataset_format);
  write_schema(out, schema);
  for (const Part part : all_parts) {
    out.create_group(to_string(part));
    for (const Table table : all_tables)
      if (const auto shape = shape_of(table, schema, sizes[static_cast<std::size_t>(part)]))
        out.create_dataset(path_of(part, table), type_of(table), *shape);
  }
  out.close();
}

void require_unchanged(const hdf5::File& file, const Piece& piece) {
  constexpr std::uint64_t buffer_bytes = std::uint64_t{64} << 20;
  const auto dataset =
      file.open_dataset(path_of(piece.part, piece.table), type_of(piece.table), dimensions_of(piece.table));
  const std::uint64_t row_bytes =
      dataset.shape().at(0) == 0 ? 0 : dataset.elements() / dataset.shape().at(0) * sizeof(double);
  const std::uint64_t step = std::max<std::uint64_t>(1, buffer_bytes / std::max<std::uint64_t>(row_bytes, 1));
  std::vector<std::byte> buffer;
  std::uint32_t checksum = 0;
  for (std::uint64_t done = 0; done < piece.rows.count;) {
    const hdf5::Rows part{piece.rows.first + done, std::min(step, piece.rows.count - done)};
    buffer.resize(part.count * row_bytes);
    dataset.read(part, buffer.data());
    checksum = crc32c(std::span<const std::byte>(buffer), checksum);
    done += part.count;
  }
  if (checksum != piece.checksum)
    throw Error(fmt::format("{}: rows {} to {} of '{}' did not reach the disk as they were written",
                            file.path().string(), piece.rows.first, piece.rows.first + piece.rows.count,
                            path_of(piece.part, piece.table)));
}

}  // namespace

struct DatasetWriter::Impl {
  OwnComm comm;
  std::filesystem::path file, temporary;
  Schema schema;
  PartSizes sizes;
  PartSizes written{};
  std::vector<Piece> pieces;
  std::unique_ptr<SharedFile> shared;

  Impl(MPI_Comm ranks, std::filesystem::path name, Schema described, const PartSizes& rows)
      : comm(ranks),
        file(std::move(name)),
        temporary(temporary_beside(file)),
        schema(std::move(described)),
        sizes(rows) {}

  ~Impl() {
    shared.reset();
    if (rank_in(comm.get()) == 0) remove_quietly(temporary);  // after a commit there is none
  }

  void start() {
    agree_on_root(comm.get(), [&] {
      create_structure(temporary, file, schema, sizes);
      reserve_space(temporary, std::filesystem::file_size(temporary));
    });
    shared = std::make_unique<SharedFile>(temporary, file, comm.get(), true, schema);
  }

  template <class T>
  void write(Part part, Table table, std::uint64_t first, std::uint64_t rows, std::span<const T> data) {
    const hdf5::Rows range{first, rows};
    const auto& dataset = shared->table(part, table);
    std::uint64_t calls = dataset.calls_for(rows);
    MPI_Allreduce(MPI_IN_PLACE, &calls, 1, MPI_UINT64_T, MPI_MAX, comm.get());
    agree(comm.get(), [&] {
      dataset.write_collectively(range, data.data(), calls);
      fail_at("write", file);
    });
    if (rows > 0) pieces.push_back({part, table, range, crc32c(data)});
  }

  /// The ranks' mistakes, before they meet in a collective write.
  void require_shape(Part part, std::uint64_t first, std::uint64_t rows, std::size_t elements,
                     std::uint64_t columns) const {
    agree(comm.get(), [&] {
      const std::uint64_t size = sizes[static_cast<std::size_t>(part)];
      if (elements != rows * columns || first > size || rows > size - first)
        throw Error(fmt::format("{}: rows {} to {} with {} numbers do not fit '{}' of {} rows and {} columns",
                                file.string(), first, first + rows, elements, to_string(part), size,
                                columns));
    });
  }

  void require_all_rows() {
    MPI_Allreduce(MPI_IN_PLACE, written.data(), static_cast<int>(written.size()), MPI_UINT64_T, MPI_SUM,
                  comm.get());
    agree(comm.get(), [&] {
      if (written != sizes)
        throw Error(fmt::format("{}: {} of {} rows were written", file.string(),
                                std::reduce(written.begin(), written.end()),
                                std::reduce(sizes.begin(), sizes.end())));
    });
  }
};

DatasetWriter::DatasetWriter(MPI_Comm comm, const std::filesystem::path& file, const Schema& schema,
                             const PartSizes& sizes)
    : impl_(std::make_unique<Impl>(comm, file, schema, sizes)) {
  impl_->start();
}

DatasetWriter::~DatasetWriter() = default;

void DatasetWriter::write(Part part, std::uint64_t first_row, std::span<const double> features,
                          std::span<const double> target, std::span<const std::uint64_t> row_numbers) {
  const std::uint64_t rows = row_numbers.size(), targets = target_count_of(impl_->schema);
  impl_->require_shape(part, first_row, rows, features.size(), impl_->schema.features.size());
  impl_->require_shape(part, first_row, rows, target.size(), targets);
  impl_->write(part, Table::features, first_row, rows, features);
  if (targets > 0) impl_->write(part, Table::target, first_row, rows, target);
  impl_->write(part, Table::row_numbers, first_row, rows, row_numbers);
  impl_->written[static_cast<std::size_t>(part)] += rows;
}

void DatasetWriter::write_levels(Part part, std::uint64_t first_row, std::span<const double> before,
                                 std::span<const double> at) {
  const std::uint64_t targets = target_count_of(impl_->schema);
  const std::uint64_t rows = targets == 0 ? 0 : before.size() / targets;
  impl_->require_shape(part, first_row, rows, before.size(), targets);
  impl_->require_shape(part, first_row, rows, at.size(), targets);
  impl_->write(part, Table::levels_before, first_row, rows, before);
  impl_->write(part, Table::levels_at, first_row, rows, at);
}

void DatasetWriter::commit() {
  Impl& self = *impl_;
  self.require_all_rows();
  self.shared->close();
  agree(self.comm.get(), [&] {
    if (!self.pieces.empty() || rank_in(self.comm.get()) == 0) sync_file(self.temporary);
  });
  agree(self.comm.get(), [&] {
    fail_at("verify", self.file);
    if (self.pieces.empty()) return;
    const auto on_disk = hdf5::File::open(self.temporary, self.file);
    for (const Piece& piece : self.pieces) require_unchanged(on_disk, piece);
  });
  agree_on_root(self.comm.get(), [&] { publish(self.temporary, self.file); });
}

}  // namespace kernmill::storage
