#include <functional>
#include <numeric>
#include <vector>

#include <fmt/format.h>

#include "kernmill/storage/dataset/dataset_file.hpp"
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
  DatasetTables tables;
  WriteOptions options;
  MadeFile made;  ///< on rank 0
  std::optional<FileCipher> cipher;
  PartSizes written{};
  TransportChoice transport;
  std::unique_ptr<SealedWriter> writer;

  Impl(MPI_Comm ranks, std::filesystem::path name, Schema described, const PartSizes& rows,
       WriteOptions wanted)
      : comm(ranks),
        file(std::move(name)),
        schema(std::move(described)),
        tables(schema, rows),
        options(std::move(wanted)) {}

  ~Impl() {
    writer.reset();
    if (is_root() && !temporary.empty()) remove_quietly(temporary);  // after a commit there is none
  }

  [[nodiscard]] bool is_root() const { return rank_in(comm.get()) == 0; }

  void start() {
    transport = choose_transport(comm.get(), file.parent_path(), options.transport);
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
      auto out = open_tables(comm.get(), temporary, file, datasets_of(places.tables),
                             {transport, options.transport}, Purpose::writing);
      writer = std::make_unique<SealedWriter>(std::move(out), file, places.tables, cipher, true);
    });
    if (!cipher) return;
    agree(comm.get(), [&] {
      writer->write(tables.all().size(), 0, std::as_bytes(std::span(std::as_const(made.content))));
    });
  }

  [[nodiscard]] Structure structure() const {
    Structure structure;
    structure.format = dataset_format;
    structure.attributes = [](const hdf5::File& out) {  // it gets its value when all is written
      out.write_attribute("content_hash", std::string(2 * sizeof(Digest), '0'));
    };
    structure.about = [this](const hdf5::File& out) { write_about(out, schema, options.provenance); };
    for (const TableShape& table : tables.all())
      structure.tables.push_back({table.path(), table.type(), table.shape});
    return structure;
  }

  template <class T>
  [[nodiscard]] NewBytes bytes_of(Part part, Table table, std::uint64_t first,
                                  std::span<const T> data) const {
    const std::size_t index = tables.find(part, table).value();
    return {index, first * tables.all()[index].columns() * sizeof(T), std::as_bytes(data)};
  }

  /// `make` may fail on one rank; what it gives is then written by all, together.
  void write(const std::function<std::vector<NewBytes>()>& make) {
    std::vector<NewBytes> pieces;
    agree(comm.get(), [&] { pieces = make(); });
    agree(comm.get(), [&] { writer->write(pieces); });
  }

  void require_shape(Part part, std::uint64_t first, std::uint64_t rows, std::size_t elements,
                     std::uint64_t columns) const {
    const std::uint64_t size = tables.rows(part);
    if (elements != rows * columns || first > size || rows > size - first)
      throw Error(fmt::format("{}: rows {} to {} with {} numbers do not fit '{}' of {} rows and {} columns",
                              file.string(), first, first + rows, elements, to_string(part), size, columns));
  }

  void require_all_rows() {
    MPI_Allreduce(MPI_IN_PLACE, written.data(), static_cast<int>(written.size()), MPI_UINT64_T, MPI_SUM,
                  comm.get());
    agree(comm.get(), [&] {
      if (written != tables.rows())
        throw Error(fmt::format("{}: {} of {} rows were written", file.string(),
                                std::reduce(written.begin(), written.end()),
                                std::reduce(tables.rows().begin(), tables.rows().end())));
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
  const std::uint64_t rows = row_numbers.size(), targets = target_count_of(impl_->schema);
  impl_->write([&] {
    impl_->require_shape(part, first_row, rows, features.size(), impl_->schema.features.size());
    impl_->require_shape(part, first_row, rows, target.size(), targets);
    std::vector<NewBytes> pieces{impl_->bytes_of(part, Table::features, first_row, features)};
    if (targets > 0) pieces.push_back(impl_->bytes_of(part, Table::target, first_row, target));
    pieces.push_back(impl_->bytes_of(part, Table::row_numbers, first_row, row_numbers));
    return pieces;
  });
  impl_->written[static_cast<std::size_t>(part)] += rows;
}

void DatasetWriter::write_levels(Part part, std::uint64_t first_row, std::span<const double> before,
                                 std::span<const double> at) {
  const std::uint64_t targets = target_count_of(impl_->schema);
  const std::uint64_t rows = targets == 0 ? 0 : before.size() / targets;
  impl_->write([&] {
    impl_->require_shape(part, first_row, rows, before.size(), targets);
    impl_->require_shape(part, first_row, rows, at.size(), targets);
    return std::vector{impl_->bytes_of(part, Table::levels_before, first_row, before),
                       impl_->bytes_of(part, Table::levels_at, first_row, at)};
  });
}

const TransportChoice& DatasetWriter::transport() const {
  return impl_->transport;
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
