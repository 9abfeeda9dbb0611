#include <algorithm>
#include <array>
#include <stdexcept>

#include <fmt/format.h>

#include "kernmill/storage/dataset/dataset_file.hpp"
#include "kernmill/storage/dataset/encoding_file.hpp"
#include "kernmill/storage/dataset/packed_schema.hpp"
#include "kernmill/storage/dataset/schema_file.hpp"
#include "kernmill/storage/dataset/sparse_tables.hpp"
#include "kernmill/storage/dataset/stored_columns.hpp"
#include "kernmill/storage/file/from_root.hpp"
#include "kernmill/storage/sealed/format.hpp"
#include "kernmill/storage/sealed/sealed_file.hpp"
#include "kernmill/storage/sealed/sealed_reader.hpp"

namespace kernmill::storage {
namespace {

/// What one rank finds out about a file, for all.
struct Opened {
  Schema schema;
  Encoding encoding;
  PartSizes rows{}, entries{};
  std::vector<SealedTable> tables;
  std::optional<Salt> salt;  ///< of an encrypted one
  std::string provenance, content_hash;
  bool has_checksums = false;
};

auto members_of(Is<Opened> auto& opened) {
  return std::tie(opened.schema, opened.encoding, opened.rows, opened.entries, opened.tables, opened.salt,
                  opened.provenance, opened.content_hash, opened.has_checksums);
}

Opened look_into(const std::filesystem::path& file, const Access& access) {
  const OpenedFile in = open_sealed_file(file, file, dataset_format, access.key, weighted_version);
  Opened opened;
  opened.has_checksums = version_of(in.file) > 1;
  if (opened.has_checksums) opened.content_hash = in.file.read_text_attribute("content_hash");
  if (in.cipher) opened.salt = in.cipher->salt();
  opened.schema = read_schema(in.about());
  if (in.about().has("provenance")) opened.provenance = in.about().read_text("provenance");
  opened.encoding = read_encoding(in.about(), opened.schema, version_of(in.file));
  opened.rows = rows_in(in.file);
  if (opened.encoding.sparse) opened.entries = entries_in(in.file);
  const DatasetTables tables(opened.schema, opened.encoding, opened.rows, opened.entries);
  opened.tables = find_tables(in.file, tables, in.cipher.has_value());
  return opened;
}

}  // namespace

struct DatasetReader::Impl {
  static constexpr std::uint64_t bytes_at_once = std::uint64_t{1}
                                                 << 20;  // they are in the cache when decoded

  std::filesystem::path file;
  Schema schema;
  Encoding encoding;
  DatasetTables tables;
  StoredColumns typed, in_bytes, target;
  std::string provenance, content_hash;
  std::unique_ptr<SealedReader> reader;
  TransportChoice transport;
  TransportSettings transport_settings;
  std::optional<OwnComm> comm;                  ///< of ranks that read through MPI-IO
  mutable std::unique_ptr<TableFile> together;  ///< opened when it is first wanted

  Impl(std::filesystem::path name, const Opened& opened)
      : file(std::move(name)),
        schema(opened.schema),
        encoding(opened.encoding),
        tables(schema, encoding, opened.rows, opened.entries),
        typed(StoredColumns::typed(encoding, schema.features.size())),
        in_bytes(StoredColumns::in_bytes(encoding, schema.features.size())),
        target(encoding.target, target_count_of(schema)),
        provenance(opened.provenance),
        content_hash(opened.content_hash) {}

  void choose(MPI_Comm ranks, const Access& access) {
    transport = choose_transport(ranks, file.parent_path(), access.transport, Purpose::reading);
    transport_settings = access.transport;
    if (transport.transport == Transport::mpiio) comm.emplace(ranks);
  }

  void read_together(std::size_t table, std::uint64_t offset, std::span<std::byte> out) const {
    if (!comm) return reader->read(table, offset, out);
    if (together == nullptr) {
      std::vector<std::string> datasets;
      for (const SealedTable& place : reader->tables())
        if (place.bytes > 0) datasets.push_back(place.name);
      together =
          open_tables(comm->get(), file, file, datasets, {transport, transport_settings}, Purpose::reading);
    }
    agree(comm->get(), [&] { reader->read_together(*together, table, offset, out); });
  }

  void open(const Opened& opened, const Access& access) {
    reader = std::make_unique<SealedReader>(file, file, opened.tables, cipher_of(opened.salt, access.key),
                                            opened.has_checksums ? access.verify : Verify::never);
  }

  [[nodiscard]] std::size_t find(Part part, Table table) const {
    const auto found = tables.find(part, table);
    if (!found) throw Error(fmt::format("{}: has no '{}'", file.string(), path_of(part, table)));
    return *found;
  }

  void require_rows(Part part, IndexRange range, bool fits) const {
    if (range.begin > range.end || range.end > tables.rows(part) || !fits)
      throw std::out_of_range("the rows, or the span for them, do not fit the dataset");
  }

  template <class T>
  void read(Part part, Table table, IndexRange range, std::span<T> out) const {
    const std::size_t index = find(part, table);
    const std::uint64_t columns = tables.all()[index].columns();
    require_rows(part, range, out.size() == range.count() * columns);
    reader->read(index, range.begin * columns * sizeof(T), std::as_writable_bytes(out));
  }

  template <class T>
  void read_columns(Part part, Table table, const StoredColumns& columns, IndexRange range,
                    std::uint64_t width, std::span<T> out) const {
    const std::uint64_t row_bytes = columns.row_bytes();
    if (row_bytes == 0) return;
    const std::size_t index = find(part, table);
    if (columns.are_rows_of<T>())
      return reader->read(index, range.begin * row_bytes, std::as_writable_bytes(out));
    const std::uint64_t step = std::max<std::uint64_t>(1, bytes_at_once / row_bytes);
    std::vector<std::byte> stored;
    for (std::uint64_t row = range.begin; row < range.end; row += step) {
      const std::uint64_t rows = std::min(step, range.end - row);
      stored.resize(rows * row_bytes);
      reader->read(index, row * row_bytes, stored);
      columns.decode(stored.data(), row_bytes, rows, out.data() + (row - range.begin) * width);
    }
  }

  [[nodiscard]] std::vector<std::uint64_t> offsets_of(Part part, std::span<const std::uint64_t> rows,
                                                      std::uint64_t row_bytes) const {
    std::vector<std::uint64_t> offsets(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (rows[i] >= tables.rows(part)) throw std::out_of_range("read_rows: there is no such row");
      offsets[i] = rows[i] * row_bytes;
    }
    return offsets;
  }

  template <class T>
  void pick_columns(Part part, Table table, const StoredColumns& columns, std::span<const std::uint64_t> rows,
                    std::span<T> out) const {
    const std::uint64_t row_bytes = columns.row_bytes();
    if (row_bytes == 0) return;
    const std::size_t index = find(part, table);
    const auto offsets = offsets_of(part, rows, row_bytes);
    if (columns.are_rows_of<T>())
      return reader->read_pieces(index, offsets, row_bytes, std::as_writable_bytes(out));
    std::vector<std::byte> stored(rows.size() * row_bytes);
    reader->read_pieces(index, offsets, row_bytes, stored);
    columns.decode(stored.data(), row_bytes, rows.size(), out.data());
  }

  template <class T>
  void read(Part part, IndexRange range, std::span<T> features, std::span<T> targets) const {
    const std::uint64_t width = schema.features.size(), targets_of_row = target_count_of(schema);
    require_rows(part, range,
                 (features.empty() || features.size() == range.count() * width) &&
                     (targets.empty() || targets.size() == range.count() * targets_of_row));
    if (!targets.empty()) read_columns(part, Table::target, target, range, targets_of_row, targets);
    if (features.empty()) return;
    if (encoding.sparse) {
      SparseRows rows;
      read_sparse_range(*reader, place_of(part), range, rows);
      return spread(rows, features);
    }
    read_columns(part, Table::features, typed, range, width, features);
    read_columns(part, Table::bytes, in_bytes, range, width, features);
  }

  template <class T>
  void read_rows(Part part, std::span<const std::uint64_t> rows, std::span<T> features,
                 std::span<T> targets) const {
    const std::uint64_t width = schema.features.size();
    if ((!features.empty() && features.size() != rows.size() * width) ||
        (!targets.empty() && targets.size() != rows.size() * target_count_of(schema)))
      throw std::out_of_range("the span does not fit the rows");
    if (!targets.empty()) pick_columns(part, Table::target, target, rows, targets);
    if (features.empty()) return;
    if (encoding.sparse) {
      SparseRows picked;
      read_sparse_picked(*reader, place_of(part), rows, picked);
      return spread(picked, features);
    }
    pick_columns(part, Table::features, typed, rows, features);
    pick_columns(part, Table::bytes, in_bytes, rows, features);
  }

  template <class T>
  static void spread(const SparseRows& rows, std::span<T> out) {
    std::fill(out.begin(), out.end(), T{0});
    const std::uint64_t width = rows.rows() == 0 ? 0 : out.size() / rows.rows();
    for (std::uint64_t row = 0; row < rows.rows(); ++row)
      for (std::uint64_t i = rows.begins[row]; i < rows.begins[row + 1]; ++i)
        out[row * width + rows.columns[i]] = static_cast<T>(rows.values[i]);
  }

  [[nodiscard]] SparsePlace place_of(Part part) const {
    return {
        find(part, Table::indptr), find(part, Table::indices), find(part, Table::values), tables.rows(part),
        tables.entries(part),      schema.features.size(),     encoding.features,         file};
  }

  [[nodiscard]] std::uint64_t stored_row_bytes() const {
    return encoding.sparse ? 0 : typed.row_bytes() + in_bytes.row_bytes();
  }

  /// `fill` reads rows of one table; where there are two, their rows are brought together.
  template <class Fill>
  void read_stored(std::uint64_t rows, std::span<std::byte> out, const Fill& fill) const {
    const std::uint64_t first = typed.row_bytes(), second = in_bytes.row_bytes();
    if (encoding.sparse || out.size() != rows * (first + second))
      throw std::out_of_range("the span does not fit the rows, or they are sparse");
    if (first == 0 && second == 0) return;
    if (second == 0) return fill(Table::features, first, out);
    if (first == 0) return fill(Table::bytes, second, out);
    std::vector<std::byte> stored(rows * first);
    fill(Table::features, first, std::span(stored));
    for (std::uint64_t row = 0; row < rows; ++row)
      std::copy_n(stored.data() + row * first, first, out.data() + row * (first + second));
    stored.resize(rows * second);
    fill(Table::bytes, second, std::span(stored));
    for (std::uint64_t row = 0; row < rows; ++row)
      std::copy_n(stored.data() + row * second, second, out.data() + row * (first + second) + first);
  }

  template <class T>
  void decode(std::span<const std::byte> stored, std::span<T> features) const {
    const std::uint64_t stride = stored_row_bytes(), rows = stride == 0 ? 0 : stored.size() / stride;
    if (stored.size() != rows * stride || features.size() != rows * schema.features.size())
      throw std::out_of_range("the span does not fit the rows");
    if (typed.row_bytes() > 0) typed.decode(stored.data(), stride, rows, features.data());
    if (in_bytes.row_bytes() > 0)
      in_bytes.decode(stored.data() + typed.row_bytes(), stride, rows, features.data());
  }
};

DatasetReader::DatasetReader(MPI_Comm comm, const std::filesystem::path& file, const Access& access) {
  // One rank looks first: its error is clear, and the file system is asked once.
  const Opened opened = from_root(comm, [&] { return look_into(file, access); });
  impl_ = std::make_unique<Impl>(file, opened);
  agree(comm, [&] { impl_->open(opened, access); });
  impl_->choose(comm, access);
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

const Encoding& DatasetReader::encoding() const {
  return impl_->encoding;
}

std::uint64_t DatasetReader::entries(Part part) const {
  return impl_->tables.entries(part);
}

std::uint64_t DatasetReader::feature_count() const {
  return impl_->schema.features.size();
}

std::uint64_t DatasetReader::target_count() const {
  return target_count_of(impl_->schema);
}

void DatasetReader::read(Part part, IndexRange range, std::span<double> features,
                         std::span<double> target) const {
  impl_->read(part, range, features, target);
}

void DatasetReader::read(Part part, IndexRange range, std::span<float> features,
                         std::span<float> target) const {
  impl_->read(part, range, features, target);
}

void DatasetReader::read_rows(Part part, std::span<const std::uint64_t> rows, std::span<double> features,
                              std::span<double> target) const {
  impl_->read_rows(part, rows, features, target);
}

void DatasetReader::read_rows(Part part, std::span<const std::uint64_t> rows, std::span<float> features,
                              std::span<float> target) const {
  impl_->read_rows(part, rows, features, target);
}

std::uint64_t DatasetReader::stored_row_bytes() const {
  return impl_->stored_row_bytes();
}

void DatasetReader::read_stored(Part part, IndexRange range, std::span<std::byte> out) const {
  impl_->require_rows(part, range, true);
  impl_->read_stored(range.count(), out, [&](Table table, std::uint64_t row_bytes, std::span<std::byte> to) {
    impl_->reader->read(impl_->find(part, table), range.begin * row_bytes, to);
  });
}

void DatasetReader::read_stored_rows(Part part, std::span<const std::uint64_t> rows,
                                     std::span<std::byte> out) const {
  impl_->read_stored(rows.size(), out, [&](Table table, std::uint64_t row_bytes, std::span<std::byte> to) {
    impl_->reader->read_pieces(impl_->find(part, table), impl_->offsets_of(part, rows, row_bytes), row_bytes,
                               to);
  });
}

void DatasetReader::read_stored_together(Part part, IndexRange range, std::span<std::byte> out) const {
  impl_->require_rows(part, range, true);
  impl_->read_stored(range.count(), out, [&](Table table, std::uint64_t row_bytes, std::span<std::byte> to) {
    impl_->read_together(impl_->find(part, table), range.begin * row_bytes, to);
  });
}

bool DatasetReader::prefers_large_reads() const {
  return impl_->transport.transport == Transport::mpiio && likes_large_requests(impl_->transport.file_system);
}

const TransportChoice& DatasetReader::transport() const {
  return impl_->transport;
}

void DatasetReader::decode(std::span<const std::byte> stored, std::span<double> features) const {
  impl_->decode(stored, features);
}

void DatasetReader::decode(std::span<const std::byte> stored, std::span<float> features) const {
  impl_->decode(stored, features);
}

void DatasetReader::read_sparse(Part part, IndexRange range, SparseRows& out) const {
  read_sparse_range(*impl_->reader, impl_->place_of(part), range, out);
}

void DatasetReader::read_sparse_rows(Part part, std::span<const std::uint64_t> rows, SparseRows& out) const {
  read_sparse_picked(*impl_->reader, impl_->place_of(part), rows, out);
}

void DatasetReader::read_row_numbers(Part part, IndexRange range, std::span<std::uint64_t> out) const {
  impl_->read(part, Table::row_numbers, range, out);
}

void DatasetReader::read_levels(Part part, IndexRange range, std::span<double> before,
                                std::span<double> at) const {
  impl_->read(part, Table::levels_before, range, before);
  impl_->read(part, Table::levels_at, range, at);
}

void DatasetReader::read_weights(Part part, IndexRange range, std::span<double> out) const {
  impl_->read(part, Table::weights, range, out);
}

void DatasetReader::read_weights(Part part, std::span<const std::uint64_t> rows,
                                 std::span<double> out) const {
  if (out.size() != rows.size()) throw std::out_of_range("the span does not fit the rows");
  const std::size_t table = impl_->find(part, Table::weights);
  impl_->reader->read_pieces(table, impl_->offsets_of(part, rows, sizeof(double)), sizeof(double),
                             std::as_writable_bytes(out));
}

}  // namespace kernmill::storage
