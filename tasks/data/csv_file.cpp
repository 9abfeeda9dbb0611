#include "kernmill/tasks/data/csv_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "kernmill/storage/dataset.hpp"
#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

class InputFile {
 public:
  explicit InputFile(const fs::path& file) : file_(file) {
    std::error_code error;
    if (fs::is_directory(file, error))
      throw TaskError(fmt::format("{} is a directory, not a CSV file", file.string()));
    fd_ = open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd_ < 0)
      throw TaskError(fmt::format("cannot read {}: {}", file.string(), std::strerror(errno)), {},
                      "check the path and the permissions of the file");
  }
  ~InputFile() {
    if (fd_ >= 0) close(fd_);
  }
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  [[nodiscard]] std::uint64_t size() const { return fs::file_size(file_); }
  /// Shorter at the end of the file.
  [[nodiscard]] std::string read(std::uint64_t offset, std::uint64_t count) const {
    std::string bytes(count, '\0');
    std::uint64_t done = 0;
    while (done < count) {
      const ssize_t n = pread(fd_, bytes.data() + done, count - done, static_cast<off_t>(offset + done));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) throw TaskError(fmt::format("cannot read {}: {}", file_.string(), std::strerror(errno)));
      if (n == 0) break;
      done += static_cast<std::uint64_t>(n);
    }
    bytes.resize(done);
    return bytes;
  }

 private:
  fs::path file_;
  int fd_ = -1;
};

constexpr std::uint64_t chunk = 1 << 16;

/// The records from `offset` to the end of the first one that is not blank.
std::string first_record_at(const InputFile& file, std::uint64_t offset) {
  std::string text;
  bool in_quotes = false;
  std::size_t seen = 0;
  while (true) {
    const std::string more = file.read(offset + text.size(), chunk);
    text += more;
    for (std::size_t end;
         (end = end_of_record(std::string_view(text).substr(seen), in_quotes)) != std::string_view::npos;) {
      const bool blank = text.find_first_not_of("\r\n") >= seen + end;
      seen += end;
      if (!blank) return text.substr(0, seen);
    }
    if (more.size() < chunk) return text;
    // The scan above went to the end of the text: the next chunk goes on where it stopped.
    seen = text.size();
  }
}

void require_text(const std::string& text, const fs::path& file) {
  if (text.find('\0') != std::string::npos)
    throw TaskError(fmt::format("{} is not a text file (it holds NUL bytes)", file.string()), {},
                    "is it compressed, or UTF-16? Save it as UTF-8 text");
}

void require_names(const std::vector<CsvField>& fields, const fs::path& file) {
  std::set<std::string> seen;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const std::string name = fields[i].text();
    if (name.empty())
      throw TaskError(fmt::format("column {} of {} has no name", i + 1, file.string()),
                      at(file, fields[i].place), "name it in the header");
    if (!seen.insert(name).second)
      throw TaskError(fmt::format("two columns of {} are called '{}'", file.string(), name),
                      at(file, fields[i].place), "rename one of them");
  }
}

CsvHeader parse_header(const fs::path& path, CsvFormat format) {
  const InputFile file(path);
  CsvHeader header{path, format, {}, 0, 1, file.size()};
  if (header.size == 0)
    throw TaskError(fmt::format("{} is empty", path.string()), at(path, {}),
                    "a CSV file has a header and data rows");
  const std::uint64_t begin =
      file.read(0, byte_order_mark.size()) == byte_order_mark ? byte_order_mark.size() : 0;
  const std::string text = first_record_at(file, begin);
  require_text(text, path);
  CsvCursor cursor(text, format.delimiter, 1);
  std::vector<CsvField> fields;
  try {
    if (!cursor.next(fields))
      throw TaskError(fmt::format("{} holds nothing but blank lines", path.string()), at(path, {}),
                      "a CSV file has a header and data rows");
  } catch (const CsvError& e) {
    throw TaskError(e.what(), at(path, e.place), "a quote inside a quoted field is written twice");
  }
  header.data_begin = begin;
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

void broadcast(const Communicator& comm, CsvHeader& header) {
  std::string names;
  for (const auto& name : header.names) names += name + '\0';
  comm.bcast(names);
  std::array<std::uint64_t, 3> numbers{header.data_begin, header.data_line, header.size};
  comm.bcast(std::span<std::uint64_t>(numbers));
  header.data_begin = numbers[0];
  header.data_line = numbers[1];
  header.size = numbers[2];
  header.names.clear();
  for (std::size_t begin = 0, end; (end = names.find('\0', begin)) != std::string::npos; begin = end + 1)
    header.names.push_back(names.substr(begin, end - begin));
}

std::uint64_t count(std::string_view text, char c) {
  return static_cast<std::uint64_t>(std::count(text.begin(), text.end(), c));
}

/// Appends the rest of the last record, which begins in this rank's bytes and ends in another's.
void complete_last_record(const InputFile& file, std::uint64_t end, bool in_quotes, std::string& text) {
  while (true) {
    const std::string more = file.read(end, chunk);
    const std::size_t length = end_of_record(more, in_quotes);
    text += more.substr(0, length);
    if (length != std::string::npos || more.size() < chunk) return;
    end += more.size();
  }
}

/// What a rank knows of its bytes once the lower ranks' have been counted.
struct Bytes {
  std::uint64_t begin = 0, end = 0;
  std::string text;  ///< with the byte in front, when there is one
  std::size_t front = 0;
  bool begins_in_quotes = false, ends_in_quotes = false;
};

CsvShare whole_records(const CsvHeader& header, Bytes& bytes, std::uint64_t first_line) {
  CsvShare share;
  const std::string_view own = std::string_view(bytes.text).substr(bytes.front);
  std::size_t start = 0;
  const bool at_record = bytes.front == 0 || (!bytes.begins_in_quotes && bytes.text[0] == '\n');
  if (!at_record) {
    bool in_quotes = bytes.begins_in_quotes;
    start = end_of_record(own, in_quotes);
  }
  if (start == std::string_view::npos || start >= own.size()) return share;
  share.first_line = first_line + count(own.substr(0, start), '\n');
  share.text = own.substr(start);
  if (bytes.ends_in_quotes || share.text.back() != '\n')
    complete_last_record(InputFile(header.file), bytes.end, bytes.ends_in_quotes, share.text);
  return share;
}

}  // namespace

char delimiter_of(const std::string& setting, const fs::path& file) {
  if (setting == "auto") return file.extension() == ".tsv" || file.extension() == ".tab" ? '\t' : ',';
  if (setting == "\\t" || setting == "tab") return '\t';
  if (setting.size() != 1 || setting == "\"" || setting == "\n" || setting == "\r")
    throw TaskError(fmt::format("the delimiter '{}' is not one character", setting), {},
                    "use \",\", \";\", \"|\" or \"\\t\"");
  return setting[0];
}

CsvHeader read_csv_header(const Communicator& comm, const fs::path& file, CsvFormat format) {
  CsvHeader header{file, format, {}, 0, 1, 0};
  comm.agree([&] {
    if (comm.is_root()) header = parse_header(file, format);
  });
  broadcast(comm, header);
  return header;
}

CsvShare read_csv_share(const Communicator& comm, const CsvHeader& header) {
  Bytes bytes;
  comm.agree([&] {
    const auto range = storage::rows_of_rank(header.size - header.data_begin, comm.rank(), comm.size());
    bytes.begin = header.data_begin + range.begin;
    bytes.end = header.data_begin + range.end;
    bytes.front = range.begin > 0 && range.count() > 0 ? 1 : 0;
    bytes.text = InputFile(header.file).read(bytes.begin - bytes.front, range.count() + bytes.front);
  });
  const std::string_view own = std::string_view(bytes.text).substr(bytes.front);
  const std::uint64_t quotes = count(own, '"'), lines = count(own, '\n');
  const std::uint64_t quotes_below = comm.exscan(quotes), lines_below = comm.exscan(lines);
  bytes.begins_in_quotes = quotes_below % 2 == 1;
  bytes.ends_in_quotes = (quotes_below + quotes) % 2 == 1;
  CsvShare share;
  comm.agree([&] { share = whole_records(header, bytes, header.data_line + lines_below); });
  return share;
}

std::string at(const fs::path& file, CsvPlace place) {
  return fmt::format("{}:{}:{}", file.string(), place.line, place.column);
}

}  // namespace kernmill::tasks
