#include "kernmill/tasks/data/store/ordered_text.hpp"

#include <algorithm>
#include <span>

#include "kernmill/storage/file/durable.hpp"

namespace kernmill::tasks {

void OrderedText::append(std::string_view more) {
  last_ += more;
  if (last_.size() < memory_) return;
  if (!file_) file_ = std::make_unique<ScratchFile>(scratch_);
  file_->write(in_file_, std::as_bytes(std::span(last_)));
  in_file_ += last_.size();
  last_.clear();
}

void OrderedText::each_piece(const Work& work) const {
  std::string piece;
  for (std::uint64_t at = 0; at < in_file_; at += piece.size()) {
    piece.resize(std::min(memory_, in_file_ - at));
    file_->read(at, std::as_writable_bytes(std::span(piece)));
    work(at, piece);
  }
  if (!last_.empty()) work(in_file_, last_);
}

void write_in_rank_order(const Communicator& comm, const std::filesystem::path& file,
                         const OrderedText& text) {
  std::string temporary;  // rank 0's: the others are told
  const std::uint64_t offset = comm.exscan(text.size());
  const std::uint64_t total = comm.allreduce(text.size(), Reduction::sum);
  const auto on_root = [&](const auto& work) {
    comm.agree([&] {
      if (comm.is_root()) work();
    });
  };
  try {
    on_root([&] {
      temporary = storage::temporary_beside(file);
      storage::create_empty(temporary, file);
      storage::reserve_space(temporary, total);
    });
    comm.bcast(temporary);
    comm.agree([&] {
      text.each_piece([&](std::uint64_t at, std::string_view piece) {
        storage::write_piece(temporary, file, offset + at, piece);
      });
      storage::sync_file(temporary, file);
    });
    on_root([&] { storage::publish(temporary, file); });
  } catch (...) {
    if (comm.is_root() && !temporary.empty()) storage::remove_quietly(temporary);
    throw;
  }
}

}  // namespace kernmill::tasks
