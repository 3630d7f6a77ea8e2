// Brings work from any thread to the one that reads the mailbox. Outlives its reader: what comes after close() is dropped.
#pragma once

#include <functional>
#include <mutex>
#include <vector>

namespace reclaim::gateway {

class Mailbox {
 public:
  using Letter = std::function<void()>;

  Mailbox();
  ~Mailbox();
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  void post(Letter letter);       // any thread
  std::vector<Letter> take();     // the reader
  void close();                   // the reader
  int fd() const { return fd_; }  // readable while there are letters; below 0 when there was no descriptor for it

 private:
  const int fd_;
  std::mutex mutex_;
  bool closed_ = false;
  std::vector<Letter> letters_;
};

}  // namespace reclaim::gateway
