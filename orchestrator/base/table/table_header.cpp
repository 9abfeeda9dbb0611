#include "kernmill/base/table/table_header.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

namespace kernmill {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
constexpr std::uint64_t probe = std::uint64_t{1} << 16U;
constexpr std::size_t longest_header = std::size_t{16} << 20U, most_columns = std::size_t{1} << 20U;

struct Ending {
  const char* text;
  const char* format;
};
constexpr std::array endings{Ending{".svm", "libsvm"},      Ending{".libsvm", "libsvm"},
                             Ending{".svmlight", "libsvm"}, Ending{"-ubyte", "idx"},
                             Ending{".idx", "idx"},         Ending{".npy", "npy"},
                             Ending{".h5", "hdf5"},         Ending{".hdf5", "hdf5"}};

fs::path without_gz(const fs::path& file) {
  return file.extension() == ".gz" ? file.stem() : file;
}

std::string at(const fs::path& file, CsvPlace place) {
  return fmt::format("{}:{}:{}", file.string(), place.line, place.column);
}

/// The records from `offset` to the end of the first one that is not blank.
std::string first_record_at(const ReadBytes& read, std::uint64_t offset, const fs::path& file) {
  std::string text;
  bool in_quotes = false;
  std::size_t seen = 0;
  while (true) {
    const std::string more = read(offset + text.size(), probe);
    text += more;
    for (std::size_t end;
         (end = end_of_record(std::string_view(text).substr(seen), in_quotes)) != std::string_view::npos;) {
      const bool blank = text.find_first_not_of("\r\n") >= seen + end;
      seen += end;
      if (!blank) return text.substr(0, seen);
    }
    if (more.size() < probe) return text;
    if (text.size() > longest_header)
      throw TableError(
          fmt::format("the first line of {} has no end within {} MiB", file.string(), longest_header >> 20U),
          at(file, {}), "is it a table, and is a quote missing in its header?");
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

/// The encoding that a byte order mark, or every second byte of ASCII, says; nullptr: it may be UTF-8.
const char* other_encoding(std::string_view bytes) {
  using namespace std::string_view_literals;
  if (bytes.starts_with("\xFF\xFE\0\0"sv) || bytes.starts_with("\0\0\xFE\xFF"sv)) return "UTF-32";
  if (bytes.starts_with("\xFF\xFE"sv) || bytes.starts_with("\xFE\xFF"sv)) return "UTF-16";
  const auto zero = [&](std::size_t i) { return bytes[i] == '\0'; };
  if (bytes.size() >= 4 && zero(0) != zero(1) && zero(0) == zero(2) && zero(1) == zero(3)) return "UTF-16";
  return nullptr;
}

void require_names(const std::vector<CsvField>& fields, const fs::path& file) {
  std::set<std::string> seen;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const std::string name = fields[i].text();
    if (name.empty())
      throw TableError(fmt::format("column {} of {} has no name", i + 1, file.string()),
                       at(file, fields[i].place), "name it in the header");
    if (!is_utf8(name))
      throw TableError(fmt::format("the name '{}' is not UTF-8", name), at(file, fields[i].place),
                       "convert the file: iconv -f latin1 -t utf-8 OLD > NEW");
    if (!seen.insert(name).second)
      throw TableError(fmt::format("two columns of {} are called '{}'", file.string(), name),
                       at(file, fields[i].place), "rename one of them");
  }
}

}  // namespace

std::string format_of(const std::string& setting, const fs::path& file) {
  if (setting != "auto") return setting;
  const std::string name = without_gz(file).string();
  for (const auto& [text, format] : endings)
    if (name.ends_with(text)) return format;
  return "csv";
}

char delimiter_of(const std::string& setting, const std::string& format, const fs::path& file, char decimal) {
  if (setting == "auto") {
    const fs::path ending = without_gz(file).extension();
    if (format == "tsv" || ending == ".tsv" || ending == ".tab") return '\t';
    return decimal == ',' ? ';' : ',';
  }
  if (setting == "," && decimal == ',')
    throw TableError(
        "the delimiter and the decimal sign are both a comma", {},
        "fields with decimal commas are separated by another sign: delimiter: \";\", or \"\\t\"");
  if (setting == "\\t" || setting == "tab") return '\t';
  if (setting.size() != 1 || setting == "\"" || setting == "\n" || setting == "\r")
    throw TableError(fmt::format("the delimiter '{}' is not one character", setting), {},
                     "use \",\", \";\", \"|\" or \"\\t\"");
  return setting[0];
}

bool begins_as_gzip(std::string_view bytes) {
  return bytes.starts_with("\x1F\x8B");
}

std::uint64_t begin_of_text(std::string_view bytes, const fs::path& file, std::string_view format) {
  for (const auto& [begin, name, help] : other_formats)
    if (bytes.starts_with(begin))
      throw TableError(fmt::format("{} is no {} file, but {}", file.string(), format, name), {}, help);
  if (const char* encoding = other_encoding(bytes))
    throw TableError(fmt::format("{} is not UTF-8 text, but {}", file.string(), encoding), at(file, {}),
                     fmt::format("convert the file: iconv -f {} -t utf-8 OLD > NEW", encoding));
  if (bytes.find('\0') != std::string_view::npos)
    throw TableError(fmt::format("{} is not a text file (it holds NUL bytes)", file.string()), {},
                     "is it of another format (`format`)?");
  return bytes.starts_with(byte_order_mark) ? byte_order_mark.size() : 0;
}

CsvHeader read_csv_header(const ReadBytes& read, const fs::path& path, CsvFormat format) {
  const std::string beginning = read(0, probe);
  if (beginning.empty())
    throw TableError(fmt::format("{} is empty", path.string()), at(path, {}),
                     "a CSV file has a header and data rows");
  const std::uint64_t begin =
      begin_of_text(std::string_view(beginning).substr(0, beginning.find('\n')), path, "CSV");
  const std::string text = first_record_at(read, begin, path);
  begin_of_text(text, path, "CSV");  // of a long one, or in quotes, too
  if (text.find('\n') == std::string::npos && text.find('\r') < text.size() - 1)
    throw TableError(fmt::format("the lines of {} end with a carriage return alone", path.string()),
                     at(path, {}), "convert it: tr '\\r' '\\n' < OLD > NEW");
  if (static_cast<std::size_t>(std::count(text.begin(), text.end(), format.delimiter)) >= most_columns)
    throw TableError(fmt::format("{} has more than {} columns", path.string(), most_columns), at(path, {}),
                     "save a table that is so wide as an array: .npy or HDF5");
  CsvCursor cursor(text, format.delimiter, 1);
  std::vector<CsvField> fields;
  try {
    if (!cursor.next(fields))
      throw TableError(fmt::format("{} holds nothing but blank lines", path.string()), at(path, {}),
                       "a CSV file has a header and data rows");
  } catch (const CsvError& e) {
    throw TableError(e.what(), at(path, e.place), "a quote inside a quoted field is written twice");
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

}  // namespace kernmill
