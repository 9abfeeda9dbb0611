#include "kernmill/exec/pack/record_buffer.hpp"

#include "kernmill/base/timestamp.hpp"

namespace kernmill::exec {

void RecordBuffer::add(Record record) {
  record.body["time"] = utc_timestamp();
  records_.push_back(std::move(record));
  if (!due_) due_ = Clock::now() + interval_;
}

void RecordBuffer::flush() {
  if (!records_.empty()) journal_.append_all(records_);
  records_.clear();
  due_.reset();
}

}  // namespace kernmill::exec
