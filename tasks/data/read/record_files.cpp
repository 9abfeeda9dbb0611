#include "kernmill/tasks/data/read/record_files.hpp"

#include <algorithm>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif
#include <fmt/format.h>

#include "kernmill/base/table/csv.hpp"
#include "kernmill/storage/dataset/dataset.hpp"
#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace {

constexpr std::size_t npos = std::string_view::npos;
constexpr std::uint64_t longest_record = std::uint64_t{1} << 28U;
constexpr std::uint64_t probe = std::uint64_t{1} << 16U;

std::size_t find_from(std::string_view text, char c, std::size_t from) {
  const void* found = from < text.size() ? std::memchr(text.data() + from, c, text.size() - from) : nullptr;
  return found == nullptr ? npos : static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

std::size_t end_of_line(std::string_view text) {
  const std::size_t found = text.find('\n');
  return found == npos ? npos : found + 1;
}

struct Counts {
  std::uint64_t quotes = 0, lines = 0;
};

#if defined(__SSE2__)
std::uint64_t sum_of_bytes(__m128i bytes) {
  const __m128i halves = _mm_sad_epu8(bytes, _mm_setzero_si128());
  return static_cast<std::uint64_t>(_mm_cvtsi128_si64(halves)) +
         static_cast<std::uint64_t>(_mm_cvtsi128_si64(_mm_unpackhi_epi64(halves, halves)));
}

/// Takes whole blocks of 16 bytes off the text.
Counts count_blocks(std::string_view& text) {
  constexpr std::size_t block = sizeof(__m128i), most = 255;  // as much as a byte counts
  const __m128i quote = _mm_set1_epi8('"'), line_break = _mm_set1_epi8('\n');
  Counts counts;
  while (text.size() >= block) {
    __m128i quotes = _mm_setzero_si128(), lines = _mm_setzero_si128();
    const std::size_t bytes = std::min(text.size() / block, most) * block;
    for (std::size_t at = 0; at < bytes; at += block) {
      const __m128i some = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
      quotes = _mm_sub_epi8(quotes, _mm_cmpeq_epi8(some, quote));
      lines = _mm_sub_epi8(lines, _mm_cmpeq_epi8(some, line_break));
    }
    counts.quotes += sum_of_bytes(quotes);
    counts.lines += sum_of_bytes(lines);
    text.remove_prefix(bytes);
  }
  return counts;
}
#else
Counts count_blocks(std::string_view& /*text*/) {
  return {};
}
#endif

Counts count(std::string_view text) {
  Counts counts = count_blocks(text);
  for (const char c : text) {
    counts.quotes += c == '"' ? 1 : 0;
    counts.lines += c == '\n' ? 1 : 0;
  }
  return counts;
}

Counts count(const InputFile& file, std::uint64_t begin, std::uint64_t end, std::uint64_t step) {
  Counts all;
  std::string buffer(std::min(step, end - begin), '\0');
  while (begin < end) {
    const std::uint64_t got =
        file.read(begin, buffer.data(), std::min<std::uint64_t>(buffer.size(), end - begin));
    if (got == 0) break;
    const Counts part = count(std::string_view(buffer.data(), got));
    all.quotes += part.quotes;
    all.lines += part.lines;
    begin += got;
  }
  return all;
}

}  // namespace

std::size_t cut_at_record(std::string_view text, std::size_t limit, bool quotes) {
  std::size_t last = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t quote = quotes ? find_from(text, '"', at) : npos;
    const std::string_view plain = text.substr(0, quote);
    const std::size_t from = std::max(at, limit == 0 ? 0 : limit - 1);
    if (const std::size_t found = find_from(plain, '\n', from); found != npos) return found + 1;
    if (const void* newline = memrchr(plain.data() + at, '\n', plain.size() - at))
      last = static_cast<std::size_t>(static_cast<const char*>(newline) - text.data()) + 1;
    if (quote == npos) break;
    const std::size_t close = find_from(text, '"', quote + 1);
    if (close == npos) break;
    at = close + 1;
  }
  return last;
}

std::vector<RecordFiles::Piece> RecordFiles::pieces(const Communicator& comm) const {
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < files_.size(); ++i) total += files_[i].file->size() - files_[i].data_begin;
  const auto mine = storage::even_share(total, comm.rank(), comm.size());
  std::vector<Piece> found;
  std::vector<std::uint64_t> counts(2 * files_.size(), 0);
  comm.agree([&] {
    std::uint64_t first = 0;  // of the file, among the bytes of all
    for (std::size_t i = 0; i < files_.size(); ++i) {
      const std::uint64_t data = files_[i].data_begin, bytes = files_[i].file->size() - data;
      const std::uint64_t begin = std::max(mine.begin, first), end = std::min(mine.end, first + bytes);
      if (begin < end) {
        found.push_back({i, data + begin - first, data + end - first, files_[i].data_line, false});
        if (comm.size() > 1) {
          const Counts own = count(*files_[i].file, found.back().begin, found.back().end, probe);
          counts[2 * i] = own.quotes;
          counts[2 * i + 1] = own.lines;
        }
      }
      first += bytes;
    }
  });
  comm.exscan(std::span(counts));
  for (Piece& piece : found) {
    piece.in_quotes = counts[2 * piece.file] % 2 == 1;
    piece.first_line += counts[2 * piece.file + 1];
  }
  return found;
}

void RecordFiles::find_first_record(Piece& piece) const {
  const InputFile& file = *files_[piece.file].file;
  if (piece.begin == files_[piece.file].data_begin) return;
  if (!(quotes_ && piece.in_quotes) && file.read(piece.begin - 1, 1) == "\n") return;
  bool in_quotes = piece.in_quotes;
  while (piece.begin < piece.end) {
    const std::string text = file.read(piece.begin, std::min(probe, piece.end - piece.begin));
    const std::size_t start = quotes_ ? end_of_record(text, in_quotes) : end_of_line(text);
    const std::size_t passed = std::min(start, text.size());
    piece.first_line += count(std::string_view(text).substr(0, passed)).lines;
    piece.begin += passed;
    if (start != std::string_view::npos || text.empty()) return;
  }
}

void RecordFiles::each_chunk(const Piece& given, const Work& work) const {
  Piece piece = given;
  find_first_record(piece);
  const InputFile& file = *files_[piece.file].file;
  std::vector<char> buffer;
  std::size_t held = 0;  // bytes of the buffer that are read; they begin with a record
  while (piece.begin < piece.end) {
    buffer.resize(std::max<std::uint64_t>(chunk_bytes, 2 * held));
    const std::uint64_t wanted = buffer.size() - held;
    const std::uint64_t got = file.read(piece.begin + held, buffer.data() + held, wanted);
    held += got;
    const std::string_view text(buffer.data(), held);
    const std::uint64_t limit = piece.end - piece.begin;
    std::size_t cut = cut_at_record(text, limit, quotes_);
    if (got < wanted && cut < limit) cut = held;  // the file ends without a line break
    if (cut == 0 && got == 0) return;
    if (cut == 0 && held > longest_record)
      throw TaskError("a record of more than 256 MiB",
                      fmt::format("{}:{}:1", file.named().string(), piece.first_line),
                      "is a quoted field never closed?");
    if (cut > 0) piece.first_line = work(text.substr(0, cut), piece.first_line);
    piece.begin += cut;
    held -= cut;
    std::memmove(buffer.data(), buffer.data() + cut, held);
  }
}

}  // namespace kernmill::tasks
