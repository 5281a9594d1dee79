// The limit that task launching is measured against: /bin/true by posix_spawn, each in a session of its own, its output
// to /dev/null, with so many in flight. Prints processes per second.
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: spawn-limit TASKS IN_FLIGHT\n");
    return 2;
  }
  const int tasks = atoi(argv[1]), in_flight = atoi(argv[2]);
  char *const command[] = {"/bin/true", NULL};
  char *const environment[] = {"PATH=/usr/bin:/bin", NULL};
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t actions;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  posix_spawn_file_actions_init(&actions);
  for (int fd = 0; fd < 3; fd++) posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", fd ? O_WRONLY : O_RDONLY, 0);
  const double start = now();
  int started = 0, ended = 0;
  while (ended < tasks) {
    while (started < tasks && started - ended < in_flight) {
      pid_t pid;
      const int error = posix_spawn(&pid, command[0], &actions, &attributes, command, environment);
      if (error != 0) {
        fprintf(stderr, "posix_spawn: error %d\n", error);
        return 1;
      }
      started++;
    }
    if (waitpid(-1, NULL, 0) > 0) ended++;
  }
  printf("%.1f\n", tasks / (now() - start));
  return 0;
}
