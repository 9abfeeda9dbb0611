#include <algorithm>
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
  static constexpr std::uint64_t bytes_at_once = std::uint64_t{1} << 20;

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
    const Places places = from_root(comm.get(), [&] {
      temporary = temporary_beside(file);
      made = make_sealed_file(temporary, file, structure(), options.key);
      reserve_space(temporary, std::filesystem::file_size(temporary));
      return Places{temporary.string(), made.tables,
                    made.cipher ? std::optional(made.cipher->salt()) : std::nullopt};
    });
    temporary = places.temporary;
    cipher = cipher_of(places.salt, options.key);
    agree(comm.get(), [&] {
      writer = std::make_unique<SealedWriter>(temporary, file, places.tables, cipher, true);
      if (cipher && is_root())
        writer->write(tables.all().size(), 0, std::as_bytes(std::span(std::as_const(made.content))));
      constexpr std::uint64_t zero = 0;
      for (const Part part : all_parts)
        if (is_root() && encoding.sparse) write(part, Table::indptr, 0, std::span(&zero, 1));
    });
  }

  [[nodiscard]] Structure structure() const {
    Structure structure;
    structure.format = dataset_format;
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

  void write_bytes(Part part, Table table, std::uint64_t offset, std::span<const std::byte> bytes) {
    writer->write(tables.find(part, table).value(), offset, bytes);
  }

  template <class T>
  void write(Part part, Table table, std::uint64_t first, std::span<const T> data) {
    const std::uint64_t columns = tables.all()[tables.find(part, table).value()].columns();
    write_bytes(part, table, first * columns * sizeof(T), std::as_bytes(data));
  }

  void write_columns(Part part, Table table, const StoredColumns& columns, std::uint64_t first,
                     std::span<const double> rows, std::uint64_t width) {
    const std::uint64_t row_bytes = columns.row_bytes();
    if (row_bytes == 0 || rows.empty()) return;
    if (columns.are_rows_of<double>())
      return write_bytes(part, table, first * row_bytes, std::as_bytes(rows));
    const std::uint64_t step = std::max<std::uint64_t>(1, bytes_at_once / row_bytes);
    std::vector<std::byte> stored;
    while (!rows.empty()) {
      const auto some = rows.first(std::min<std::size_t>(rows.size(), step * width));
      stored.resize(some.size() / width * row_bytes);
      if (const auto misfit = columns.encode(some, stored.data()))
        refuse(part, first + misfit->row, table == Table::target ? "target" : schema.features[misfit->column],
               some[misfit->row * width + misfit->column], columns.type());
      write_bytes(part, table, first * row_bytes, stored);
      first += some.size() / width;
      rows = rows.subspan(some.size());
    }
  }

  [[noreturn]] void refuse(Part part, std::uint64_t row, const std::string& column, double number,
                           Element type) const {
    throw Error(fmt::format("{}: {} row {}, {}: {} holds no {}; store it as a wider type", file.string(),
                            to_string(part), row, column, to_string(type), number));
  }

  void write_values(Part part, std::uint64_t first_row, std::uint64_t first_entry, const SparseRows& rows) {
    std::vector<std::byte> stored(rows.values.size() * size_of(encoding.features));
    if (const auto misfit = narrow(rows.values, encoding.features, stored.data())) {
      const auto behind = std::upper_bound(rows.begins.begin(), rows.begins.end(), *misfit);
      refuse(part, first_row + static_cast<std::uint64_t>(behind - rows.begins.begin()) - 1,
             schema.features[rows.columns[*misfit]], rows.values[*misfit], encoding.features);
    }
    write_bytes(part, Table::values, first_entry * size_of(encoding.features), stored);
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

  void write_beside(Part part, std::uint64_t first_row, std::span<const double> targets,
                    std::span<const std::uint64_t> row_numbers) {
    const std::uint64_t width = target_count_of(schema);
    require_shape(part, first_row, row_numbers.size(), targets.size(), width);
    write_columns(part, Table::target, target, first_row, targets, width);
    write(part, Table::row_numbers, first_row, row_numbers);
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
    const OpenedFile opened = open_sealed_file(temporary, file, dataset_format, options.key);
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
  agree(impl_->comm.get(), [&] {
    impl_->require_layout(false);
    impl_->require_shape(part, first_row, rows, features.size(), width);
    impl_->write_columns(part, Table::features, impl_->typed, first_row, features, width);
    impl_->write_columns(part, Table::bytes, impl_->in_bytes, first_row, features, width);
    impl_->write_beside(part, first_row, target, row_numbers);
  });
  impl_->written[static_cast<std::size_t>(part)] += rows;
}

void DatasetWriter::write_stored(Part part, std::uint64_t first_row, std::span<const std::byte> rows,
                                 std::span<const double> target, std::span<const std::uint64_t> row_numbers) {
  const std::uint64_t count = row_numbers.size();
  const std::uint64_t first = impl_->typed.row_bytes(), second = impl_->in_bytes.row_bytes();
  agree(impl_->comm.get(), [&] {
    impl_->require_layout(false);
    impl_->require_shape(part, first_row, count, rows.size(), first + second);
    const auto write = [&](Table table, std::uint64_t begin, std::uint64_t bytes) {
      if (bytes == 0) return;
      if (bytes == first + second) return impl_->write_bytes(part, table, first_row * bytes, rows);
      std::vector<std::byte> some(count * bytes);
      for (std::uint64_t row = 0; row < count; ++row)
        std::copy_n(rows.data() + row * (first + second) + begin, bytes, some.data() + row * bytes);
      impl_->write_bytes(part, table, first_row * bytes, some);
    };
    write(Table::features, 0, first);
    write(Table::bytes, first, second);
    impl_->write_beside(part, first_row, target, row_numbers);
  });
  impl_->written[static_cast<std::size_t>(part)] += count;
}

void DatasetWriter::write_sparse(Part part, std::uint64_t first_row, std::uint64_t first_entry,
                                 const SparseRows& rows, std::span<const double> target,
                                 std::span<const std::uint64_t> row_numbers) {
  agree(impl_->comm.get(), [&] {
    impl_->require_layout(true);
    impl_->require_sparse(part, first_entry, rows, row_numbers.size());
    impl_->require_shape(part, first_row, row_numbers.size(), 0, 0);
    std::vector<std::uint64_t> ends(rows.begins.begin() + 1, rows.begins.end());
    for (std::uint64_t& end : ends) end += first_entry;
    impl_->write(part, Table::indptr, first_row + 1, std::span(std::as_const(ends)));
    impl_->write(part, Table::indices, first_entry, std::span(rows.columns));
    impl_->write_values(part, first_row, first_entry, rows);
    impl_->write_beside(part, first_row, target, row_numbers);
  });
  impl_->written[static_cast<std::size_t>(part)] += row_numbers.size();
  impl_->written_entries[static_cast<std::size_t>(part)] += rows.values.size();
}

void DatasetWriter::write_levels(Part part, std::uint64_t first_row, std::span<const double> before,
                                 std::span<const double> at) {
  const std::uint64_t targets = target_count_of(impl_->schema);
  const std::uint64_t rows = targets == 0 ? 0 : before.size() / targets;
  agree(impl_->comm.get(), [&] {
    impl_->require_shape(part, first_row, rows, before.size(), targets);
    impl_->require_shape(part, first_row, rows, at.size(), targets);
    impl_->write(part, Table::levels_before, first_row, before);
    impl_->write(part, Table::levels_at, first_row, at);
  });
}

void DatasetWriter::commit() {
  Impl& self = *impl_;
  self.require_all_rows();
  agree(self.comm.get(), [&] { self.writer->sync(); });
  self.writer->exchange(self.comm.get());
  agree(self.comm.get(), [&] { self.writer->seal(); });
  const auto digests = self.writer->table_digests(self.comm.get());
  agree_on_root(self.comm.get(), [&] {
    self.finish(digests);
    publish_read_only(self.temporary, self.file);
  });
}

}  // namespace kernmill::storage
