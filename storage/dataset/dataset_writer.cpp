#include <algorithm>
#include <cstring>
#include <functional>
#include <numeric>
#include <vector>

#include <fmt/format.h>

#include "kernmill/storage/conversion.hpp"
#include "kernmill/storage/dataset/dataset_file.hpp"
#include "kernmill/storage/dataset/encoding_file.hpp"
#include "kernmill/storage/dataset/sparse_tables.hpp"
#include "kernmill/storage/dataset/stored_columns.hpp"
#include "kernmill/storage/file/commit.hpp"
#include "kernmill/storage/file/from_root.hpp"
#include "kernmill/storage/sealed/footer.hpp"
#include "kernmill/storage/sealed/sealed_file.hpp"
#include "kernmill/storage/sealed/sealed_writer.hpp"

namespace kernmill::storage {
namespace {

/// What rank 0, which made the file, has to tell the others.
struct Places {
  std::string temporary;  ///< the name to write under
  std::vector<SealedTable> tables;
  std::optional<Salt> salt;
};

auto members_of(Is<Places> auto& places) {
  return std::tie(places.temporary, places.tables, places.salt);
}

}  // namespace

struct DatasetWriter::Impl {
  OwnComm comm;
  std::filesystem::path file, temporary;
  Schema schema;
  Encoding encoding;
  DatasetTables tables;
  StoredColumns typed, in_bytes, target;
  WriteOptions options;
  MadeFile made;  ///< on rank 0
  std::optional<FileCipher> cipher;
  PartSizes written{}, written_entries{};
  TransportChoice transport;
  Hints hints;
  std::unique_ptr<SealedWriter> writer;

  Impl(MPI_Comm ranks, std::filesystem::path name, Schema described, const PartSizes& rows,
       WriteOptions wanted)
      : comm(ranks),
        file(std::move(name)),
        schema(std::move(described)),
        encoding(sound_encoding(wanted.encoding, schema, file)),
        tables(schema, encoding, rows, wanted.entries),
        typed(StoredColumns::typed(encoding, schema.features.size())),
        in_bytes(StoredColumns::in_bytes(encoding, schema.features.size())),
        target(encoding.target, target_count_of(schema)),
        options(std::move(wanted)) {}

  ~Impl() {
    writer.reset();
    if (is_root() && !temporary.empty()) remove_quietly(temporary);  // after a commit there is none
  }

  [[nodiscard]] bool is_root() const { return rank_in(comm.get()) == 0; }

  void start() {
    transport = choose_transport(comm.get(), file.parent_path(), options.transport);
    const TableFileOptions out{transport, options.transport};
    const Places places = from_root(comm.get(), [&] {
      temporary = temporary_beside(file);
      made = make_sealed_file(temporary, file, structure(), options.key, out.hints());
      reserve_space(temporary, std::filesystem::file_size(temporary));
      return Places{temporary.string(), made.tables,
                    made.cipher ? std::optional(made.cipher->salt()) : std::nullopt};
    });
    temporary = places.temporary;
    cipher = cipher_of(places.salt, options.key);
    agree(comm.get(), [&] {
      auto opened =
          open_tables(comm.get(), temporary, file, datasets_of(places.tables), out, Purpose::writing);
      hints = opened->hints();
      writer = std::make_unique<SealedWriter>(std::move(opened), file, places.tables, cipher, true);
    });
    write([&] { return first_pieces(); });
  }

  /// What is there before any row: the encrypted content, and that the first sparse row begins with entry 0.
  /// Rank 0's.
  [[nodiscard]] std::vector<NewBytes> first_pieces() const {
    std::vector<NewBytes> pieces;
    static constexpr std::uint64_t zero = 0;
    const std::span<const std::uint64_t> begin(&zero, is_root() ? 1 : 0);
    if (cipher) pieces.emplace_back(tables.all().size(), 0, std::as_bytes(std::span(made.content)));
    if (encoding.sparse)
      for (const Part part : all_parts) pieces.push_back(piece_of(part, Table::indptr, 0, begin));
    return pieces;
  }

  /// `make` may fail on one rank; what it gives is then written by all, together.
  void write(const std::function<std::vector<NewBytes>()>& make) {
    std::vector<NewBytes> pieces;
    agree(comm.get(), [&] { pieces = make(); });
    agree(comm.get(), [&] { writer->write(pieces); });
  }

  [[nodiscard]] Structure structure() const {
    Structure structure;
    structure.format = dataset_format;
    if (!schema.weight.empty()) structure.version = weighted_version;
    structure.attributes = [](const hdf5::File& out) {  // it gets its value when all is written
      out.write_attribute("content_hash", std::string(2 * sizeof(Digest), '0'));
    };
    structure.about = [this](const hdf5::File& out) {
      write_about(out, schema, encoding, options.provenance);
    };
    for (const TableShape& table : tables.all())
      structure.tables.push_back({table.path(), table.type, table.shape});
    return structure;
  }

  [[nodiscard]] std::size_t index_of(Part part, Table table) const {
    return tables.find(part, table).value();
  }

  template <class T>
  [[nodiscard]] NewBytes piece_of(Part part, Table table, std::uint64_t first,
                                  std::span<const T> data) const {
    const std::size_t index = index_of(part, table);
    return {index, first * tables.all()[index].columns() * sizeof(T), std::as_bytes(data)};
  }

  /// Rows [first, first + n) of a table, `row_bytes` each, made a few at a time: `make(begin, end, to)`.
  template <class Make>
  [[nodiscard]] NewBytes piece_in_rows(Part part, Table table, std::uint64_t first, std::uint64_t rows,
                                       std::uint64_t row_bytes, const Make& make) const {
    return {index_of(part, table), first * row_bytes, rows * row_bytes,
            [=, some = std::vector<std::byte>()](std::uint64_t from, std::uint64_t count) mutable {
              const std::uint64_t begin = from / row_bytes, end = (from + count + row_bytes - 1) / row_bytes;
              some.resize((end - begin) * row_bytes);
              make(begin, end, some.data());
              return std::span<const std::byte>(some).subspan(from - begin * row_bytes, count);
            }};
  }

  void add_columns(std::vector<NewBytes>& pieces, Part part, Table table, const StoredColumns& columns,
                   std::uint64_t first, std::span<const double> rows, std::uint64_t width) const {
    const std::uint64_t row_bytes = columns.row_bytes();
    if (row_bytes == 0) return;
    if (columns.are_rows_of<double>()) return pieces.push_back(piece_of(part, table, first, rows));
    pieces.push_back(
        piece_in_rows(part, table, first, rows.size() / width, row_bytes,
                      [=, this, &columns](std::uint64_t begin, std::uint64_t end, std::byte* to) {
                        const auto some = rows.subspan(begin * width, (end - begin) * width);
                        if (const auto misfit = columns.encode(some, to))
                          refuse(part, first + begin + misfit->row,
                                 table == Table::target ? "target" : schema.features[misfit->column],
                                 some[misfit->row * width + misfit->column], columns.type());
                      }));
  }

  [[noreturn]] void refuse(Part part, std::uint64_t row, const std::string& column, double number,
                           Element type) const {
    throw Error(fmt::format("{}: {} row {}, {}: {} holds no {}; store it as a wider type", file.string(),
                            to_string(part), row, column, to_string(type), number));
  }

  [[nodiscard]] NewBytes values_of(Part part, std::uint64_t first_row, std::uint64_t first_entry,
                                   const SparseRows& rows) const {
    return piece_in_rows(
        part, Table::values, first_entry, rows.values.size(), size_of(encoding.features),
        [=, this, &rows](std::uint64_t begin, std::uint64_t end, std::byte* to) {
          const auto misfit =
              narrow(std::span(rows.values).subspan(begin, end - begin), encoding.features, to);
          if (!misfit) return;
          const std::uint64_t entry = begin + *misfit;
          const auto behind = std::upper_bound(rows.begins.begin(), rows.begins.end(), entry);
          refuse(part, first_row + static_cast<std::uint64_t>(behind - rows.begins.begin()) - 1,
                 schema.features[rows.columns[entry]], rows.values[entry], encoding.features);
        });
  }

  /// The ends of the rows, as entries of the part.
  [[nodiscard]] NewBytes ends_of(Part part, std::uint64_t first_row, std::uint64_t first_entry,
                                 const SparseRows& rows) const {
    return piece_in_rows(part, Table::indptr, first_row + 1, rows.rows(), sizeof(std::uint64_t),
                         [=, &rows](std::uint64_t begin, std::uint64_t end, std::byte* to) {
                           for (std::uint64_t row = begin; row < end; ++row, to += sizeof(std::uint64_t)) {
                             const std::uint64_t entry = first_entry + rows.begins[row + 1];
                             std::memcpy(to, &entry, sizeof entry);
                           }
                         });
  }

  void require_sparse(Part part, std::uint64_t first_entry, const SparseRows& rows, std::size_t count) const {
    const std::uint64_t entries = tables.entries(part);
    std::string flaw = flaw_of(rows, schema.features.size());
    if (flaw.empty() &&
        (rows.rows() != count || first_entry > entries || rows.values.size() > entries - first_entry))
      flaw = fmt::format("{} rows with the entries {} to {} do not fit {} row numbers and {} entries",
                         rows.rows(), first_entry, first_entry + rows.values.size(), count, entries);
    if (!flaw.empty())
      throw Error(fmt::format("{}: sparse rows of '{}': {}", file.string(), to_string(part), flaw));
  }

  void require_layout(bool sparse) const {
    if (encoding.sparse != sparse)
      throw Error(fmt::format("{}: {} rows cannot be written as {} ones", file.string(),
                              sparse ? "sparse" : "dense", encoding.sparse ? "sparse" : "dense"));
  }

  void add_beside(std::vector<NewBytes>& pieces, Part part, std::uint64_t first_row,
                  std::span<const double> targets, std::span<const std::uint64_t> row_numbers) const {
    const std::uint64_t width = target_count_of(schema);
    require_shape(part, first_row, row_numbers.size(), targets.size(), width);
    add_columns(pieces, part, Table::target, target, first_row, targets, width);
    pieces.push_back(piece_of(part, Table::row_numbers, first_row, row_numbers));
  }

  void require_shape(Part part, std::uint64_t first, std::uint64_t rows, std::size_t elements,
                     std::uint64_t columns) const {
    const std::uint64_t size = tables.rows(part);
    if (elements != rows * columns || first > size || rows > size - first)
      throw Error(fmt::format("{}: rows {} to {} with {} numbers do not fit '{}' of {} rows and {} columns",
                              file.string(), first, first + rows, elements, to_string(part), size, columns));
  }

  void require_all_rows() {
    for (PartSizes* sizes : {&written, &written_entries})
      MPI_Allreduce(MPI_IN_PLACE, sizes->data(), static_cast<int>(sizes->size()), MPI_UINT64_T, MPI_SUM,
                    comm.get());
    agree(comm.get(), [&] {
      if (written != tables.rows())
        throw Error(fmt::format("{}: {} of {} rows were written", file.string(),
                                std::reduce(written.begin(), written.end()),
                                std::reduce(tables.rows().begin(), tables.rows().end())));
      if (written_entries != tables.entries())
        throw Error(fmt::format("{}: {} of {} entries of sparse rows were written", file.string(),
                                std::reduce(written_entries.begin(), written_entries.end()),
                                std::reduce(tables.entries().begin(), tables.entries().end())));
    });
  }

  // By one rank; what it cannot open it does not publish.
  void finish(const std::vector<Digest>& digests) const {
    {
      auto out = hdf5::File::open_to_write(temporary, file);
      out.replace_attribute("content_hash",
                            cipher ? content_hash(hdf5::File::open_image(made.content, file), tables, digests)
                                   : content_hash(out, tables, digests));
      out.close();
    }
    append_footer(temporary, file, made.tables);
    const OpenedFile opened =
        open_sealed_file(temporary, file, dataset_format, options.key, weighted_version);
    find_tables(opened.file, tables, cipher.has_value());
  }
};

DatasetWriter::DatasetWriter(MPI_Comm comm, const std::filesystem::path& file, const Schema& schema,
                             const PartSizes& sizes, const WriteOptions& options)
    : impl_(std::make_unique<Impl>(comm, file, schema, sizes, options)) {
  impl_->start();
}

DatasetWriter::~DatasetWriter() = default;

void DatasetWriter::write(Part part, std::uint64_t first_row, std::span<const double> features,
                          std::span<const double> target, std::span<const std::uint64_t> row_numbers) {
  const std::uint64_t rows = row_numbers.size(), width = impl_->schema.features.size();
  impl_->write([&] {
    impl_->require_layout(false);
    impl_->require_shape(part, first_row, rows, features.size(), width);
    std::vector<NewBytes> pieces;
    impl_->add_columns(pieces, part, Table::features, impl_->typed, first_row, features, width);
    impl_->add_columns(pieces, part, Table::bytes, impl_->in_bytes, first_row, features, width);
    impl_->add_beside(pieces, part, first_row, target, row_numbers);
    return pieces;
  });
  impl_->written[static_cast<std::size_t>(part)] += rows;
}

void DatasetWriter::write_stored(Part part, std::uint64_t first_row, std::span<const std::byte> rows,
                                 std::span<const double> target, std::span<const std::uint64_t> row_numbers) {
  const std::uint64_t count = row_numbers.size();
  const std::uint64_t first = impl_->typed.row_bytes(), second = impl_->in_bytes.row_bytes();
  impl_->write([&] {
    impl_->require_layout(false);
    impl_->require_shape(part, first_row, count, rows.size(), first + second);
    std::vector<NewBytes> pieces;
    const auto add = [&](Table table, std::uint64_t at, std::uint64_t bytes) {
      pieces.push_back(impl_->piece_in_rows(
          part, table, first_row, count, bytes, [=](std::uint64_t begin, std::uint64_t end, std::byte* to) {
            for (std::uint64_t row = begin; row < end; ++row, to += bytes)
              std::copy_n(rows.data() + row * (first + second) + at, bytes, to);
          }));
    };
    if (first == 0 || second == 0) {
      pieces.push_back({impl_->index_of(part, first > 0 ? Table::features : Table::bytes),
                        first_row * (first + second), rows});
    } else {
      add(Table::features, 0, first);
      add(Table::bytes, first, second);
    }
    impl_->add_beside(pieces, part, first_row, target, row_numbers);
    return pieces;
  });
  impl_->written[static_cast<std::size_t>(part)] += count;
}

void DatasetWriter::write_sparse(Part part, std::uint64_t first_row, std::uint64_t first_entry,
                                 const SparseRows& rows, std::span<const double> target,
                                 std::span<const std::uint64_t> row_numbers) {
  impl_->write([&] {
    impl_->require_layout(true);
    impl_->require_sparse(part, first_entry, rows, row_numbers.size());
    impl_->require_shape(part, first_row, row_numbers.size(), 0, 0);
    std::vector<NewBytes> pieces;
    pieces.push_back(impl_->ends_of(part, first_row, first_entry, rows));
    pieces.push_back(impl_->piece_of(part, Table::indices, first_entry, std::span(rows.columns)));
    pieces.push_back(impl_->values_of(part, first_row, first_entry, rows));
    impl_->add_beside(pieces, part, first_row, target, row_numbers);
    return pieces;
  });
  impl_->written[static_cast<std::size_t>(part)] += row_numbers.size();
  impl_->written_entries[static_cast<std::size_t>(part)] += rows.values.size();
}

void DatasetWriter::write_levels(Part part, std::uint64_t first_row, std::span<const double> before,
                                 std::span<const double> at) {
  const std::uint64_t targets = target_count_of(impl_->schema);
  const std::uint64_t rows = targets == 0 ? 0 : before.size() / targets;
  impl_->write([&] {
    impl_->require_shape(part, first_row, rows, before.size(), targets);
    impl_->require_shape(part, first_row, rows, at.size(), targets);
    return std::vector{impl_->piece_of(part, Table::levels_before, first_row, before),
                       impl_->piece_of(part, Table::levels_at, first_row, at)};
  });
}

void DatasetWriter::write_weights(Part part, std::uint64_t first_row, std::span<const double> weights) {
  impl_->write([&] {
    impl_->require_shape(part, first_row, weights.size(), weights.size(), 1);
    return std::vector{impl_->piece_of(part, Table::weights, first_row, weights)};
  });
}

const TransportChoice& DatasetWriter::transport() const {
  return impl_->transport;
}

const std::map<std::string, std::string>& DatasetWriter::hints() const {
  return impl_->hints;
}

void DatasetWriter::commit() {
  Impl& self = *impl_;
  self.require_all_rows();
  agree(self.comm.get(), [&] { self.writer->sync(); });
  self.writer->exchange(self.comm.get());
  agree(self.comm.get(), [&] { self.writer->seal(); });
  const auto digests = self.writer->table_digests(self.comm.get());
  self.writer.reset();  // through MPI-IO ranks close together, before one of them opens it alone
  agree_on_root(self.comm.get(), [&] {
    self.finish(digests);
    publish_read_only(self.temporary, self.file);
  });
}

}  // namespace kernmill::storage
