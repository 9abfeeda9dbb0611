#include <array>
#include <stdexcept>

#include <fmt/format.h>

#include "kernmill/storage/dataset/dataset_file.hpp"
#include "kernmill/storage/dataset/packed_schema.hpp"
#include "kernmill/storage/dataset/schema_file.hpp"
#include "kernmill/storage/file/from_root.hpp"
#include "kernmill/storage/sealed/format.hpp"
#include "kernmill/storage/sealed/sealed_file.hpp"
#include "kernmill/storage/sealed/sealed_reader.hpp"

namespace kernmill::storage {
namespace {

/// What one rank finds out about a file, for all.
struct Opened {
  Schema schema;
  PartSizes rows{};
  std::vector<SealedTable> tables;
  std::optional<Salt> salt;  ///< of an encrypted one
  std::string provenance, content_hash;
  bool has_checksums = false;
};

auto members_of(Is<Opened> auto& opened) {
  return std::tie(opened.schema, opened.rows, opened.tables, opened.salt, opened.provenance,
                  opened.content_hash, opened.has_checksums);
}

Opened look_into(const std::filesystem::path& file, const Access& access) {
  const OpenedFile in = open_sealed_file(file, file, dataset_format, access.key);
  Opened opened;
  opened.has_checksums = version_of(in.file) > 1;
  if (opened.has_checksums) opened.content_hash = in.file.read_text_attribute("content_hash");
  if (in.cipher) opened.salt = in.cipher->salt();
  opened.schema = read_schema(in.about());
  if (in.about().has("provenance")) opened.provenance = in.about().read_text("provenance");
  opened.rows = rows_in(in.file);
  opened.tables = find_tables(in.file, DatasetTables(opened.schema, opened.rows), in.cipher.has_value());
  return opened;
}

}  // namespace

struct DatasetReader::Impl {
  std::filesystem::path file;
  Schema schema;
  DatasetTables tables;
  std::string provenance, content_hash;
  std::unique_ptr<SealedReader> reader;

  Impl(std::filesystem::path name, const Opened& opened)
      : file(std::move(name)),
        schema(opened.schema),
        tables(schema, opened.rows),
        provenance(opened.provenance),
        content_hash(opened.content_hash) {}

  void open(const Opened& opened, const Access& access) {
    reader = std::make_unique<SealedReader>(file, file, opened.tables, cipher_of(opened.salt, access.key),
                                            opened.has_checksums ? access.verify : Verify::never);
  }

  [[nodiscard]] std::size_t find(Part part, Table table) const {
    const auto found = tables.find(part, table);
    if (!found) throw Error(fmt::format("{}: has no '{}'", file.string(), path_of(part, table)));
    return *found;
  }

  template <class T>
  void read(Part part, Table table, IndexRange range, std::span<T> out) const {
    const std::size_t index = find(part, table);
    const std::uint64_t columns = tables.all()[index].columns();
    if (range.begin > range.end || range.end > tables.rows(part) || out.size() != range.count() * columns)
      throw std::out_of_range("the rows, or the span for them, do not fit the dataset");
    reader->read(index, range.begin * columns * sizeof(T), std::as_writable_bytes(out));
  }

  void read_rows(Part part, Table table, std::span<const std::uint64_t> rows, std::span<double> out) const {
    const std::size_t index = find(part, table);
    const std::uint64_t row_bytes = tables.all()[index].columns() * sizeof(double);
    std::vector<std::uint64_t> offsets(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (rows[i] >= tables.rows(part)) throw std::out_of_range("read_rows: there is no such row");
      offsets[i] = rows[i] * row_bytes;
    }
    reader->read_pieces(index, offsets, row_bytes, std::as_writable_bytes(out));
  }
};

DatasetReader::DatasetReader(MPI_Comm comm, const std::filesystem::path& file, const Access& access) {
  // One rank looks first: its error is clear, and the file system is asked once.
  const Opened opened = from_root(comm, [&] { return look_into(file, access); });
  impl_ = std::make_unique<Impl>(file, opened);
  agree(comm, [&] { impl_->open(opened, access); });
}

DatasetReader::~DatasetReader() = default;

const Schema& DatasetReader::schema() const {
  return impl_->schema;
}

const std::string& DatasetReader::provenance() const {
  return impl_->provenance;
}

const std::string& DatasetReader::content_hash() const {
  return impl_->content_hash;
}

std::uint64_t DatasetReader::rows(Part part) const {
  return impl_->tables.rows(part);
}

std::uint64_t DatasetReader::feature_count() const {
  return impl_->schema.features.size();
}

std::uint64_t DatasetReader::target_count() const {
  return target_count_of(impl_->schema);
}

void DatasetReader::read(Part part, IndexRange range, std::span<double> features,
                         std::span<double> target) const {
  if (!features.empty()) impl_->read(part, Table::features, range, features);
  if (!target.empty()) impl_->read(part, Table::target, range, target);
}

void DatasetReader::read_rows(Part part, std::span<const std::uint64_t> rows, std::span<double> features,
                              std::span<double> target) const {
  if (!features.empty()) impl_->read_rows(part, Table::features, rows, features);
  if (!target.empty()) impl_->read_rows(part, Table::target, rows, target);
}

void DatasetReader::read_row_numbers(Part part, IndexRange range, std::span<std::uint64_t> out) const {
  impl_->read(part, Table::row_numbers, range, out);
}

void DatasetReader::read_levels(Part part, IndexRange range, std::span<double> before,
                                std::span<double> at) const {
  impl_->read(part, Table::levels_before, range, before);
  impl_->read(part, Table::levels_at, range, at);
}

}  // namespace kernmill::storage
