// One value handed from any thread to the coroutine that waits for it on the transport's thread.
//
// The coroutine holds the Waiting, whoever answers holds the Promise. Either may go away first: a value for a coroutine that has left is
// dropped, and a promise that is dropped unkept delivers what `otherwise` makes. The first value wins.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <utility>

namespace reclaim::http {

template <class T>
struct Waiting {
  explicit Waiting(boost::asio::steady_timer& timer) : wake(timer) {}
  boost::asio::steady_timer& wake;  // cancelled when the value is there
  std::optional<T> value;           // touched on the transport's thread only
};

template <class T>
class Promise {
 public:
  // Shares the io_context: a late answer may outlive the transport. What it posts holds the waiting side weakly, so that a value that
  // is never run keeps nothing alive.
  Promise(std::shared_ptr<boost::asio::io_context> io, const std::shared_ptr<Waiting<T>>& to, T (*otherwise)())
      : io_(std::move(io)), to_(to), otherwise_(otherwise) {}
  ~Promise() {
    if (!kept_.test()) keep(otherwise_());
  }
  Promise(const Promise&) = delete;
  Promise& operator=(const Promise&) = delete;

  void keep(T value) {
    if (kept_.test_and_set()) return;
    boost::asio::post(*io_, [to = to_, kept = std::move(value)]() mutable {
      const std::shared_ptr<Waiting<T>> waiting = to.lock();
      if (!waiting) return;
      waiting->value = std::move(kept);
      waiting->wake.cancel();
    });
  }

 private:
  std::shared_ptr<boost::asio::io_context> io_;
  std::weak_ptr<Waiting<T>> to_;
  T (*otherwise_)();
  std::atomic_flag kept_;
};

}  // namespace reclaim::http
