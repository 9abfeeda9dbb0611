#include <stdexcept>

#include <fmt/format.h>

#include "kernmill/storage/dataset_file.hpp"
#include "kernmill/storage/format.hpp"
#include "kernmill/storage/packed.hpp"
#include "kernmill/storage/raw_file.hpp"

namespace kernmill::storage {
namespace {

void read_scattered(const RawFile& raw, const hdf5::Dataset& table, std::span<const std::uint64_t> rows,
                    std::span<double> out) {
  const std::uint64_t columns = table.shape().at(1);
  if (out.size() != rows.size() * columns) throw std::invalid_argument("read_rows: the span does not fit");
  if (rows.empty() || columns == 0) return;
  const std::uint64_t begin = table.offset();
  for (std::size_t i = 0; i < rows.size();) {
    std::size_t run = 1;  // neighbours in the file travel together
    while (i + run < rows.size() && rows[i + run] == rows[i] + run) ++run;
    if (rows[i] + run > table.shape()[0]) throw std::out_of_range("read_rows: there is no such row");
    raw.read(begin + rows[i] * columns * sizeof(double),
             std::as_writable_bytes(out.subspan(i * columns, run * columns)));
    i += run;
  }
}

void read_range(const hdf5::Dataset& table, RowRange range, std::size_t elements, void* out) {
  const std::uint64_t columns = table.shape().size() > 1 ? table.shape()[1] : 1;
  if (range.begin > range.end || range.end > table.shape()[0] || elements != range.count() * columns)
    throw std::out_of_range("the rows, or the span for them, do not fit the dataset");
  table.read({range.begin, range.count()}, out);
}

}  // namespace

struct DatasetReader::Impl {
  Schema schema;
  std::unique_ptr<SharedFile> shared;
  std::unique_ptr<RawFile> raw;

  [[nodiscard]] const hdf5::Dataset& table(Part part, Table which) const {
    return shared->table(part, which);
  }
};

DatasetReader::DatasetReader(MPI_Comm comm, const std::filesystem::path& file)
    : impl_(std::make_unique<Impl>()) {
  // One rank looks first: its error is clear, and a file that is no dataset never meets MPI-IO.
  std::string schema;
  agree_on_root(comm, [&] {
    const auto probe = hdf5::File::open(file, file);
    require_format(probe, dataset_format);
    schema = packed(read_schema(probe));
    open_tables(probe, unpacked_schema(schema));
  });
  broadcast(comm, schema);
  impl_->schema = unpacked_schema(schema);
  agree(comm, [&] { impl_->raw = std::make_unique<RawFile>(file, file, RawFile::Access::read); });
  impl_->shared = std::make_unique<SharedFile>(file, file, comm, false, impl_->schema);
}

DatasetReader::~DatasetReader() = default;

const Schema& DatasetReader::schema() const {
  return impl_->schema;
}

std::uint64_t DatasetReader::rows(Part part) const {
  return impl_->table(part, Table::features).shape()[0];
}

std::uint64_t DatasetReader::feature_count() const {
  return impl_->schema.features.size();
}

std::uint64_t DatasetReader::target_count() const {
  return target_count_of(impl_->schema);
}

void DatasetReader::read(Part part, RowRange range, std::span<double> features,
                         std::span<double> target) const {
  if (!features.empty())
    read_range(impl_->table(part, Table::features), range, features.size(), features.data());
  if (!target.empty()) read_range(impl_->table(part, Table::target), range, target.size(), target.data());
}

void DatasetReader::read_rows(Part part, std::span<const std::uint64_t> rows, std::span<double> features,
                              std::span<double> target) const {
  if (!features.empty()) read_scattered(*impl_->raw, impl_->table(part, Table::features), rows, features);
  if (!target.empty()) read_scattered(*impl_->raw, impl_->table(part, Table::target), rows, target);
}

void DatasetReader::read_row_numbers(Part part, RowRange range, std::span<std::uint64_t> out) const {
  read_range(impl_->table(part, Table::row_numbers), range, out.size(), out.data());
}

void DatasetReader::read_levels(Part part, RowRange range, std::span<double> before,
                                std::span<double> at) const {
  read_range(impl_->table(part, Table::levels_before), range, before.size(), before.data());
  read_range(impl_->table(part, Table::levels_at), range, at.size(), at.data());
}

}  // namespace kernmill::storage
