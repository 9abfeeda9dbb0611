#include "kernmill/run/journal/gathered_files.hpp"

#include "kernmill/os/durable_file.hpp"
#include "kernmill/run/journal/run_view.hpp"

namespace kernmill {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t most_files = 256;  // that wait

}  // namespace

void GatheredFiles::add(const fs::path& file) {
  if (!fs::exists(file)) return;
  std::string text = read_file(file);
  text.resize(text.rfind('\n') + 1);  // a torn last line is none
  lines_ += text;
  files_.push_back(file);
  if (files_.size() >= most_files) flush();
}

void GatheredFiles::flush() {
  if (!lines_.empty()) journal_.append_lines(lines_);
  lines_.clear();
  for (const fs::path& file : files_) fs::remove(file);
  if (!files_.empty()) keep_snapshot(journal_.path().parent_path(), Worth::doubled);
  files_.clear();
}

void gather_ended_jobs(const fs::path& journal, JournalWriter& into) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(journal))
    if (entry.path().filename().string().ends_with(".exec.jsonl")) files.push_back(entry.path());
  GatheredFiles gathered(into);
  for (const fs::path& file : files) gathered.add(file);
  gathered.flush();
}

}  // namespace kernmill
