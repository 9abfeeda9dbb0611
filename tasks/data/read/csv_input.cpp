#include "kernmill/tasks/data/read/csv_input.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "kernmill/tasks/data/read/csv_rows.hpp"
#include "kernmill/tasks/data/read/packed_texts.hpp"
#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
constexpr std::uint64_t probe = std::uint64_t{1} << 16U;

std::string at(const fs::path& file, CsvPlace place) {
  return fmt::format("{}:{}:{}", file.string(), place.line, place.column);
}

/// The records from `offset` to the end of the first one that is not blank.
std::string first_record_at(const InputFile& file, std::uint64_t offset) {
  std::string text;
  bool in_quotes = false;
  std::size_t seen = 0;
  while (true) {
    const std::string more = file.read(offset + text.size(), probe);
    text += more;
    for (std::size_t end;
         (end = end_of_record(std::string_view(text).substr(seen), in_quotes)) != std::string_view::npos;) {
      const bool blank = text.find_first_not_of("\r\n") >= seen + end;
      seen += end;
      if (!blank) return text.substr(0, seen);
    }
    if (more.size() < probe) return text;
    // The scan above went to the end of the text: the next one goes on where it stopped.
    seen = text.size();
  }
}

/// What a file is when it begins like this, and how it can be read.
struct OtherFormat {
  std::string_view begin;
  const char* name;
  const char* help;
};
constexpr const char* save_csv = "save it as CSV, or as a table in HDF5";
constexpr const char* expand = "expand it first, or compress it with gzip";
constexpr std::array other_formats{OtherFormat{"PK\x03\x04", "a zip archive (.npz, .xlsx)",
                                               "save a single array with numpy.save, a sheet as CSV"},
                                   OtherFormat{"PAR1", "a Parquet file", save_csv},
                                   OtherFormat{"ARROW1", "an Arrow file", save_csv},
                                   OtherFormat{"SQLite format 3", "an SQLite database", save_csv},
                                   OtherFormat{"\x89HDF", "an HDF5 file", "set `format: hdf5`"},
                                   OtherFormat{"\x93NUMPY", "a NumPy array", "set `format: npy`"},
                                   OtherFormat{"BZh", "compressed by bzip2", expand},
                                   OtherFormat{"\xFD"
                                               "7zXZ",
                                               "compressed by xz", expand},
                                   OtherFormat{"\x28\xB5\x2F\xFD", "compressed by zstd", expand}};

void require_text(const std::string& text, const fs::path& file) {
  for (const auto& [begin, name, help] : other_formats)
    if (text.starts_with(begin))
      throw TaskError(fmt::format("{} is no CSV file, but {}", file.string(), name), {}, help);
  if (text.find('\0') != std::string::npos)
    throw TaskError(fmt::format("{} is not a text file (it holds NUL bytes)", file.string()), {},
                    "is it of another format (`format`), or UTF-16? Save it as UTF-8 text");
}

void require_names(const std::vector<CsvField>& fields, const fs::path& file) {
  std::set<std::string> seen;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const std::string name = fields[i].text();
    if (name.empty())
      throw TaskError(fmt::format("column {} of {} has no name", i + 1, file.string()),
                      at(file, fields[i].place), "name it in the header");
    if (!is_utf8(name))
      throw TaskError(fmt::format("the name '{}' is not UTF-8", name), at(file, fields[i].place),
                      "convert the file: iconv -f latin1 -t utf-8 OLD > NEW");
    if (!seen.insert(name).second)
      throw TaskError(fmt::format("two columns of {} are called '{}'", file.string(), name),
                      at(file, fields[i].place), "rename one of them");
  }
}

void require_same_columns(const std::vector<CsvHeader>& headers, const InputFiles& files) {
  for (std::size_t i = 1; i < headers.size(); ++i) {
    if (headers[i].names == headers[0].names) continue;
    const auto [first, other] = std::mismatch(headers[0].names.begin(), headers[0].names.end(),
                                              headers[i].names.begin(), headers[i].names.end());
    const auto shown = [](const auto& it, const auto& end) {
      return it == end ? "nothing" : "'" + *it + "'";
    };
    throw TaskError(
        fmt::format("the columns of {} are not those of {}", files[i]->named().string(),
                    files[0]->named().string()),
        at(files[i]->named(), {}),
        fmt::format("column {} is {} there and {} here; files that are read together have the same header",
                    first - headers[0].names.begin() + 1, shown(first, headers[0].names.end()),
                    shown(other, headers[i].names.end())));
  }
}

}  // namespace

char delimiter_of(const std::string& setting, const fs::path& file) {
  const fs::path name = file.extension() == ".gz" ? file.stem() : file;
  if (setting == "auto") return name.extension() == ".tsv" || name.extension() == ".tab" ? '\t' : ',';
  if (setting == "\\t" || setting == "tab") return '\t';
  if (setting.size() != 1 || setting == "\"" || setting == "\n" || setting == "\r")
    throw TaskError(fmt::format("the delimiter '{}' is not one character", setting), {},
                    "use \",\", \";\", \"|\" or \"\\t\"");
  return setting[0];
}

CsvHeader read_csv_header(const InputFile& file, CsvFormat format) {
  const fs::path& path = file.named();
  if (file.size() == 0)
    throw TaskError(fmt::format("{} is empty", path.string()), at(path, {}),
                    "a CSV file has a header and data rows");
  const std::uint64_t begin =
      file.read(0, byte_order_mark.size()) == byte_order_mark ? byte_order_mark.size() : 0;
  const std::string text = first_record_at(file, begin);
  require_text(text, path);
  if (text.find('\n') == std::string::npos && text.find('\r') < text.size() - 1)
    throw TaskError(fmt::format("the lines of {} end with a carriage return alone", path.string()),
                    at(path, {}), "convert it: tr '\\r' '\\n' < OLD > NEW");
  CsvCursor cursor(text, format.delimiter, 1);
  std::vector<CsvField> fields;
  try {
    if (!cursor.next(fields))
      throw TaskError(fmt::format("{} holds nothing but blank lines", path.string()), at(path, {}),
                      "a CSV file has a header and data rows");
  } catch (const CsvError& e) {
    throw TaskError(e.what(), at(path, e.place), "a quote inside a quoted field is written twice");
  }
  CsvHeader header{{}, begin, 1};
  if (!format.header) {
    for (std::size_t i = 0; i < fields.size(); ++i) header.names.push_back(fmt::format("c{}", i));
    return header;
  }
  require_names(fields, path);
  for (const CsvField& field : fields) header.names.push_back(field.text());
  header.data_begin += cursor.position();
  header.data_line = cursor.line();
  return header;
}

CsvInput::CsvInput(const Communicator& comm, InputFiles files, CsvFormat format)
    : files_(std::move(files)), format_(format) {
  std::vector<RecordFiles::File> records;
  comm.agree([&] {
    for (const auto& file : files_) {
      headers_.push_back(read_csv_header(*file, format_));
      records.push_back({file, headers_.back().data_begin, headers_.back().data_line});
    }
    require_same_columns(headers_, files_);
  });
  records_ = RecordFiles(std::move(records), true);
}

std::string CsvInput::name() const {
  return files_.front()->named().string();
}

std::vector<std::vector<std::string>> CsvInput::first_rows(const Communicator& comm, std::size_t rows) const {
  constexpr std::uint64_t enough = std::uint64_t{1} << 20U;
  std::vector<std::string> texts;
  const std::size_t columns = names().size();
  if (comm.is_root()) {
    const std::string text = files_[0]->read(headers_[0].data_begin, enough);
    CsvCursor cursor(std::string_view(text).substr(
                         0, text.size() < enough ? text.size() : cut_at_record(text, text.size())),
                     format_.delimiter, 1);
    std::vector<CsvField> fields;
    try {
      while (texts.size() < rows * columns && cursor.next(fields))
        if (fields.size() == columns)
          for (const CsvField& field : fields) texts.push_back(field.text());
    } catch (const CsvError&) {  // told when the row is read
    }
  }
  share_texts(comm, texts);
  std::vector<std::vector<std::string>> table;
  for (auto begin = texts.begin(); begin != texts.end(); begin += static_cast<std::ptrdiff_t>(columns))
    table.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(columns));
  return table;
}

RawTable CsvInput::read(const Communicator& comm, const Selection& selection, const Buffer& buffer) const {
  const auto mine = records_.pieces(comm);
  RawTable table(selection, buffer);
  comm.agree([&] {
    for (const auto& piece : mine) {
      CsvRows rows(files_[piece.file]->named().string(), names(), format_.delimiter, selection, table);
      records_.each_chunk(piece,
                          [&](std::string_view text, std::uint64_t line) { return rows.read(text, line); });
    }
  });
  number_rows(comm, *this, table);
  return table;
}

}  // namespace kernmill::tasks
