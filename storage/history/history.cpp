#include "kernmill/storage/history/history.hpp"

#include <span>
#include <stdexcept>

#include <fmt/format.h>

#include "kernmill/storage/file/agreement.hpp"
#include "kernmill/storage/file/commit.hpp"
#include "kernmill/storage/sealed/footer.hpp"
#include "kernmill/storage/sealed/sealed_file.hpp"
#include "kernmill/storage/sealed/sealed_reader.hpp"
#include "kernmill/storage/sealed/sealed_writer.hpp"

namespace kernmill::storage {
namespace fs = std::filesystem;
namespace {

constexpr const char* history_format = "kernmill-history";

std::string table_of(const std::string& column) {
  return "columns/" + column;
}

void require_table(const History& history) {
  for (const History::Column& column : history.columns)
    if (column.name.empty() || column.name.find('/') != std::string::npos ||
        column.values.size() != history.columns.front().values.size())
      throw std::invalid_argument(
          fmt::format("column '{}': bad name, or not as long as the others", column.name));
}

void write_names(const hdf5::File& file, const History& history) {
  std::vector<std::string> names;
  for (const History::Column& column : history.columns) names.push_back(column.name);
  file.write_text("about", history.about);
  file.write_texts("names", names);
}

Structure structure_of(const History& history) {
  require_table(history);
  Structure structure{history_format,
                      {},
                      [](const hdf5::File&) {},
                      [&](const hdf5::File& file) { write_names(file, history); }};
  for (const History::Column& column : history.columns)
    structure.tables.push_back({table_of(column.name), hdf5::Type::f64, {column.values.size()}});
  return structure;
}

void write_columns(const fs::path& temporary, const fs::path& named, const MadeFile& made,
                   const History& history) {
  SealedWriter writer(open_posix(temporary, named), named, made.tables, made.cipher, false);
  for (std::size_t i = 0; i < history.columns.size(); ++i)
    writer.write(i, 0, std::as_bytes(std::span(history.columns[i].values)));
  if (made.cipher) writer.write(history.columns.size(), 0, std::as_bytes(std::span(made.content)));
  writer.sync();
  writer.exchange(MPI_COMM_SELF);
  writer.seal();
}

History load_history(const fs::path& file, const fs::path& named, const std::optional<Key>& key) {
  const OpenedFile opened = open_sealed_file(file, named, history_format, key);
  History history{opened.about().read_text("about"), {}};
  for (const std::string& name : opened.about().read_texts("names")) {
    const SealedTable table =
        find_sealed_table(opened.file, table_of(name), hdf5::Type::f64, 1, opened.cipher.has_value());
    History::Column column{name, std::vector<double>(table.bytes / sizeof(double))};
    SealedReader(file, named, {table}, opened.cipher, Verify::once)
        .read(0, 0, std::as_writable_bytes(std::span(column.values)));
    history.columns.push_back(std::move(column));
  }
  return history;
}

}  // namespace

void write_history(MPI_Comm comm, const fs::path& file, const History& history,
                   const std::optional<Key>& key) {
  agree_on_root(comm, [&] {
    commit_file(
        file,
        [&](const fs::path& temporary) {
          const MadeFile made = make_sealed_file(temporary, file, structure_of(history), key);
          write_columns(temporary, file, made, history);
          append_footer(temporary, file, made.tables);
        },
        [&](const fs::path& temporary) { load_history(temporary, file, key); });
  });
}

History read_history(const fs::path& file, const std::optional<Key>& key) {
  return load_history(file, file, key);
}

}  // namespace kernmill::storage
