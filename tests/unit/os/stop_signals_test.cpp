#include "kernmill/os/stop_signals.hpp"

#include <csignal>

#include <gtest/gtest.h>

namespace kernmill {
namespace {

/// A signal's disposition for the time of a test.
class Disposition {
 public:
  Disposition(int signal, void (*handler)(int)) : signal_(signal) {
    struct sigaction wanted {};
    wanted.sa_handler = handler;
    ::sigaction(signal, &wanted, &before_);
  }
  ~Disposition() { ::sigaction(signal_, &before_, nullptr); }
  Disposition(const Disposition&) = delete;
  Disposition& operator=(const Disposition&) = delete;

 private:
  int signal_;
  struct sigaction before_ {};
};

TEST(StopSignals, AreReadInsteadOfEndingTheProgram) {
  const Disposition usual(SIGHUP, SIG_DFL);
  const StopSignals stop;
  ::raise(SIGHUP);
  EXPECT_EQ(stop.next(), SIGHUP);
  EXPECT_FALSE(stop.next());
}

TEST(StopSignals, ThatWereIgnoredAtTheStartStayIgnored) {
  for (const int signal : {SIGHUP, SIGINT}) {
    const Disposition ignored(signal, SIG_IGN);
    const StopSignals stop;
    ::raise(signal);
    EXPECT_FALSE(stop.next()) << signal;
  }
}

TEST(StopSignals, HearSigtermInAnyCase) {
  const Disposition ignored(SIGTERM, SIG_IGN);
  const StopSignals stop;
  ::raise(SIGTERM);
  EXPECT_EQ(stop.next(), SIGTERM);
}

}  // namespace
}  // namespace kernmill
