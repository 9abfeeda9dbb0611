#include "kernmill/exec/pack_element.hpp"

#include <stdexcept>

namespace kernmill::exec {

int carry_out_pack(const ElementContext&, JournalWriter&, StopRequests&) {
  throw std::runtime_error("this kernmill-exec cannot run packed elements yet; submit the stage with `pack: 1`");
}

}  // namespace kernmill::exec
