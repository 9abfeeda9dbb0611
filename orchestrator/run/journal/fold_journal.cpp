#include <fstream>
#include <functional>
#include <iterator>
#include <stdexcept>
#include <string>

#include "kernmill/os/durable_file.hpp"
#include "kernmill/run/journal/fold.hpp"
#include "kernmill/run/journal/journal.hpp"
#include "kernmill/run/journal/journal_file.hpp"

namespace kernmill {
namespace {

namespace fs = std::filesystem;
using Line = JournalLine;

std::vector<Record> records_in(std::string text, const fs::path& file) {
  std::vector<Record> records;
  for_each_line(std::move(text), file, [&](const Line& line) {
    Json body = line.json();
    for (const char* key : {"v", "time", "event", "crc"}) body.erase(key);
    records.push_back({std::string(line.event()), std::move(body), std::string(line.time())});
  });
  return records;
}

}  // namespace

const InstanceRecord* RunRecord::find(const std::string& stage, unsigned index) const {
  const auto found = instances.find({stage, index});
  return found == instances.end() ? nullptr : &found->second;
}

RunRecord fold_journal(const fs::path& journal) {
  return fold_journal(journal, [](std::string_view) { return true; });
}

// A conductor gathers the files of jobs into its own and removes them (gathered_files.hpp). Its file is
// therefore looked for, and read, after those of the jobs: what was gathered before we came to it is there.
RunRecord fold_journal(const fs::path& journal, const std::function<bool(std::string_view)>& wanted) {
  Fold fold(Fold::Keeping::everything);
  for (const bool gathering : {false, true})
    for (const auto& entry : fs::directory_iterator(journal)) {
      const std::string name = entry.path().filename().string();
      if (!name.ends_with(".jsonl") || is_gathering(name) != gathering || !wanted(name)) continue;
      ReadMark mark;
      if (auto file = open_journal_file(entry.path()))
        file->read_lines(
            mark, /*with_crc=*/false, [] {}, [&](const Line& line) { fold.take(line); });
    }
  return fold.finish();
}

RunRecord fold_lines(std::string lines, const fs::path& from) {
  Fold fold(Fold::Keeping::everything);
  for_each_line(std::move(lines), from, [&](const Line& line) { fold.take(line); });
  return fold.finish();
}

std::vector<Record> read_journal_file(const fs::path& file) {
  return records_in(read_file(file), file);
}

std::vector<Record> read_new_records(const fs::path& file, std::uintmax_t& from) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return {};
  stream.seekg(static_cast<std::streamoff>(from));
  std::string text(std::istreambuf_iterator<char>(stream), {});
  text.resize(text.rfind('\n') + 1);
  from += text.size();
  return records_in(std::move(text), file);
}

}  // namespace kernmill
