// A program that keeps something alive for a test: it starts it, says `ready`, waits until its standard input ends, which it does when the
// test process stops it or dies, and then takes everything down again.
#pragma once

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace reclaim::test {

class Keeper {
 public:
  explicit Keeper(const std::vector<std::string>& argv) {
    int in[2];
    int out[2];
    if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) throw std::runtime_error("cannot make pipes for " + argv[0]);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, out[1], STDOUT_FILENO);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
    std::vector<char*> arguments;
    arguments.reserve(argv.size() + 1);
    for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    const int failed = ::posix_spawn(&pid_, arguments[0], &files, &attributes, arguments.data(), environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    ::close(in[0]);
    ::close(out[1]);
    stop_ = in[1];
    char word[6];
    const bool ready = failed == 0 && ::read(out[0], word, sizeof word) > 0;
    ::close(out[0]);
    if (ready) return;
    stop();
    throw std::runtime_error(argv[0] + " does not start");
  }
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;
  ~Keeper() { stop(); }

 private:
  void stop() {
    ::close(stop_);
    if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
  }

  pid_t pid_ = -1;
  int stop_ = -1;
};

}  // namespace reclaim::test
