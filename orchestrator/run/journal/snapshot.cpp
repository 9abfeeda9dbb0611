#include "kernmill/run/journal/snapshot.hpp"

#include <algorithm>
#include <type_traits>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernmill/base/checksum.hpp"
#include "kernmill/os/durable_file.hpp"
#include "kernmill/run/journal/snapshot_fields.hpp"
#include "kernmill/workflow/value/json_text.hpp"

namespace kernmill {
namespace {

namespace fs = std::filesystem;
using snapshot::Reader;
using snapshot::Writer;

static_assert(std::is_trivially_copyable_v<PlainCommit> &&
              std::has_unique_object_representations_v<PlainCommit>);

/// Numbers lie as this machine has them: one of another kind does not recognise it.
constexpr std::uint64_t byte_order = 0x0102030405060708;

void put(Writer& out, const PlainSummary& summary) {
  out(summary.instances.text(), summary.begin, summary.end, summary.warnings);
}

PlainSummary summary_in(Reader& in) {
  PlainSummary summary;
  std::string instances;
  in(instances, summary.begin, summary.end, summary.warnings);
  if (!instances.empty()) summary.instances = IndexRanges::parse(instances);
  return summary;
}

std::string head_of(const FoldState& state) {
  Writer out;
  out(byte_order, state, state.plain.summaries().size());
  for (const auto& [stage, summary] : state.plain.summaries()) {
    out(stage);
    put(out, summary);
  }
  return std::move(out.text);
}

/// With room for `more` bytes: of a million instances there is one copy.
std::string rows_of(const PlainCommits& plain, std::size_t more) {
  Writer out;
  std::size_t size = plain.texts().bytes().size() + 1024 * (plain.summaries().size() + 1);
  for (const auto& [stage, summary] : plain.summaries())
    size += plain.rows(stage).size() * sizeof(PlainCommit);
  out.text.reserve(size + more);
  out(plain.summaries().size());
  for (const auto& [stage, summary] : plain.summaries()) {
    const std::vector<PlainCommit>& rows = plain.rows(stage);
    out(stage, rows.size());
    out.text.append(reinterpret_cast<const char*>(rows.data()), rows.size() * sizeof(PlainCommit));
  }
  out(plain.texts().bytes());
  return std::move(out.text);
}

std::vector<PlainCommit> rows_in(Reader& in) {
  std::uint64_t count = 0;
  in(count);
  if (count > std::numeric_limits<std::uint32_t>::max())
    throw std::invalid_argument("a snapshot has too many rows");
  const std::string_view bytes = in.take(count * sizeof(PlainCommit));
  std::vector<PlainCommit> rows(bytes.size() / sizeof(PlainCommit));
  std::memcpy(rows.data(), bytes.data(), bytes.size());
  return rows;
}

Json to_json(const CoveredFile& file) {
  return {file.name,          file.mark.bytes,   file.mark.lines,       file.mark.crc,
          file.as_read.inode, file.as_read.size, file.as_read.modified, file.as_read.changed};
}

CoveredFile covered_file_from_json(const Json& json) {
  return {json.at(0), {json.at(1), json.at(2), json.at(3)}, {json.at(4), json.at(5), json.at(6), json.at(7)}};
}

/// The first line, of `bytes` at most; nothing when there is none.
std::optional<std::string> first_line(const FileDescriptor& file) {
  std::string line;
  char buffer[4096];
  ssize_t got = 0;
  while ((got = ::pread(file.get(), buffer, sizeof buffer, static_cast<off_t>(line.size()))) > 0) {
    const std::string_view read(buffer, static_cast<std::size_t>(got));
    const std::size_t end = read.find('\n');
    line += read.substr(0, end);
    if (end != std::string_view::npos) return line;
  }
  return {};
}

}  // namespace

fs::path snapshot_path(const fs::path& journal) {
  return journal / "snapshot";
}

void write_snapshot(const fs::path& journal, const std::vector<CoveredFile>& covered,
                    const FoldState& state) {
  const std::string head = head_of(state);
  std::string text = rows_of(state.plain, head.size() + 256 * (covered.size() + 4));
  Json files = Json::array();
  for (const CoveredFile& file : covered) files.push_back(to_json(file));
  const Json index{{"snapshot", snapshot::snapshot_version},
                   {"head", {head.size(), checksum(head)}},
                   {"rows", {text.size(), checksum(text)}},
                   {"files", std::move(files)}};
  text.insert(0, with_checksum(index.dump()) + '\n' + head);
  write_file_durably(snapshot_path(journal), text);
}

std::optional<SnapshotFile> SnapshotFile::open(const fs::path& journal) {
  FileDescriptor file(::open(snapshot_path(journal).c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return {};
  SnapshotFile snapshot(std::move(file));
  try {
    if (snapshot.read_index()) return snapshot;
  } catch (const Json::exception&) {  // of other types than this version writes
  }
  return {};
}

bool SnapshotFile::read_index() {
  const auto line = first_line(file_);
  if (!line) return false;
  const Json index = json_or_nothing(*line);
  if (!index.is_object() || index.value("snapshot", 0) != snapshot::snapshot_version) return false;
  Json bare = index;
  bare.erase("crc");
  if (with_checksum(bare.dump()) != *line) return false;
  for (const Json& file : index.at("files")) covered_.push_back(covered_file_from_json(file));
  head_ = {line->size() + 1, index.at("head").at(0), index.at("head").at(1)};
  rows_ = {head_.offset + head_.bytes, index.at("rows").at(0), index.at("rows").at(1)};
  return true;
}

std::optional<std::string> SnapshotFile::text_of(const Part& part) const {
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0 || part.bytes > static_cast<std::uint64_t>(status.st_size))
    return {};
  std::string text(part.bytes, '\0');
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t got =
        ::pread(file_.get(), text.data() + at, text.size() - at, static_cast<off_t>(part.offset + at));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return {};
    at += static_cast<std::size_t>(got);
  }
  if (checksum(text) != part.crc) return {};
  return text;
}

std::optional<FoldState> SnapshotFile::state() const {
  const auto text = text_of(head_);
  if (!text) return {};
  try {
    Reader in(*text);
    FoldState state;
    std::uint64_t order = 0, stages = 0;
    in(order);
    if (order != byte_order) return {};
    in(state, stages);
    std::map<std::string, PlainSummary> summaries;
    for (; stages > 0; --stages) {
      std::string stage;
      in(stage);
      summaries.emplace(std::move(stage), summary_in(in));
    }
    state.plain.restore(std::move(summaries));
    return state;
  } catch (const std::invalid_argument&) {
  } catch (const Json::exception&) {
  }
  return {};
}

bool SnapshotFile::add_rows(FoldState& state) const {
  const auto text = text_of(rows_);
  if (!text) return false;
  try {
    Reader in(*text);
    std::uint64_t stages = 0;
    in(stages);
    std::map<std::string, std::vector<PlainCommit>> rows;
    for (; stages > 0; --stages) {
      std::string stage;
      in(stage);
      rows.emplace(std::move(stage), rows_in(in));
    }
    std::string bytes;
    in(bytes);
    TextBlock texts;
    texts.restore(std::move(bytes));
    state.plain.restore(std::move(rows), std::move(texts));
    return true;
  } catch (const std::invalid_argument&) {
    return false;
  }
}

}  // namespace kernmill
