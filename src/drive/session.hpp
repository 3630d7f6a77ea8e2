// One mount: a tape is chosen, mounted, read in the order in which the files lie on it, and unmounted.
//
//  * Segments are taken out of the tape's queue, as many as one is allowed to at once; their requests are read in fSeq order over all of
//  them.
//  * Before each file the tape's state, the drive's desired state and whether the process is to stop are asked. If any of them says so, the
//    file in hand is the last, the rest goes back to where it waits best (agents/takeover.hpp, Estate), and the tape is unmounted.
//  * What became of requests is handed over in batches (archive/disperse.hpp): TRANSFERRED and FAILED to the tape's to-report queue; what
//  is
//    to be read elsewhere to the queue that placement chooses, at the end of the mount where that may be this tape's again; what was
//    cancelled in the meantime is put on record and left out.
//  * A buffer that is full or broken fails no request: they go back, and the drive is down from then on, with the reason, until an operator
//    wants it up again. So it is where a tape cannot be loaded, and the tape becomes DISABLED: nobody knows which of the two is at fault.
//
// A tape of which nothing could be taken though something waits, or whose mount ended with an error, rests for a while (drive/resting.hpp).
//
// A crash leaves the mount and the taken segments with the dead agent, whose collector returns them. What was delivered and not handed over
// is found in the buffer by whoever reads it next, and not read again.
// Errors: of the store, the catalogue and the agent; the tape is unloaded then, too, and what is still held is given back by the next call.
// kFenced: the agent was collected: nothing more is written; go on with a new one.
// Who may call: the hand's thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "drive/drive.hpp"

namespace reclaim::drive {

struct MountReport {
  std::optional<archive::Vid> vid;  // nothing: no tape was worth a mount, or the drive is down
  std::size_t delivered = 0;        // requests
  std::size_t failed = 0;
  std::size_t elsewhere = 0;  // to be read from another copy, or in another mount
  std::size_t cancelled = 0;
  std::string why = {};               // it ended, where not because nothing was left
  bool is_in_doubt = false;           // the agent is to be given up for a new one (archive/take.hpp)
  std::vector<std::string> problems;  // the first hundred; they hindered nothing else
};

Result<MountReport> serve_one_mount(Drive& drive);

// Everything that the hand holds goes back. When the process stops, before its agent leaves.
Status give_everything_back(Drive& drive);

}  // namespace reclaim::drive
