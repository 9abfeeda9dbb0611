#pragma once
#include "kernmill/exec/element/element_context.hpp"
#include "kernmill/os/stop_requests.hpp"

namespace kernmill::exec {

/// Carries out an element that has several instances. Returns an exit status.
int run_pack_element(const ElementContext& context, JournalWriter& journal, StopRequests& stop);

}  // namespace kernmill::exec
