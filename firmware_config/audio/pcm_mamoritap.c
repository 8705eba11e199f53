/*
 * mamoritap: an ALSA capture device that plays a recording of tapped lines in real time.
 *
 * The demonstration floor and the tests take it for a sound card: PortAudio opens it by name, frames
 * arrive at the pace of CLOCK_MONOTONIC, a reader that is too slow gets an overrun, and the card can
 * be pulled out while it runs.
 *
 *   pcm_type.mamoritap { lib "/path/libasound_module_pcm_mamoritap.so" }
 *   pcm.floor {
 *       type mamoritap
 *       infile "/path/floor.raw"    raw s16le frames, all channels interleaved; may be sparse
 *       channels 16                 1 to 64
 *       rate 8000                   frames per second
 *       loop yes                    start over at the end of the file; "no": silence from there on
 *       epoch 1763900000            optional: unix time at which the recording was at its first frame
 *       ctl "/path/floor.ctl"       optional: a file whose first word is looked up while running
 *   }
 *
 * Without `epoch` every opening of the device starts at the first frame. With it the recording goes on
 * while nobody listens, so that a restarted reader does not hear the same calls again.
 *
 * Words of the control file:
 *   xrun   one overrun; the file is removed so that it happens once
 *   gone   the card has been pulled out: the running stream dies, opening fails until the word is gone
 *   stall  the card stays but delivers no more frames
 */
#include <alsa/asoundlib.h>
#include <alsa/pcm_external.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000LL
#define SAMPLE_BYTES 2           /* s16le */
#define MAX_CHANNELS 64          /* as many as edge_agent.settings allows */
#define CTL_EVERY_NS 20000000LL  /* the control file is looked up at most every 20 ms */

enum order { ORDER_NONE, ORDER_XRUN, ORDER_GONE, ORDER_STALL };

struct tap {
    snd_pcm_ioplug_t io;
    char *infile, *ctl;
    unsigned channels, rate;
    bool loop, has_epoch;
    double epoch;         /* unix time of the recording's first frame */
    int file, timer;      /* the recording; a timer that is readable when a period is complete */
    int64_t length;       /* frames in the recording */
    int64_t opened_ns;    /* first start since opening, 0 before */
    int64_t opened_frame; /* frame of the recording at that moment */
    int64_t started_ns;   /* latest start (after an overrun the stream is started again) */
    int64_t base;         /* frame of the recording at the latest start */
    bool running;
    enum order order;     /* what the control file said last */
    int64_t order_ns;     /* when it was looked up */
};

static int64_t now_ns(void)
{
    struct timespec now;
    /* CLOCK_MONOTONIC always exists on Linux: there is no error to check. */
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* Frames that fit into a time; split so that it does not overflow after days. */
static int64_t frames_in(const struct tap *tap, int64_t ns)
{
    return ns / NS_PER_S * tap->rate + ns % NS_PER_S * tap->rate / NS_PER_S;
}

/* Time by which so many frames are complete (rounded up). */
static int64_t ns_of(const struct tap *tap, int64_t frames)
{
    return frames / tap->rate * NS_PER_S + (frames % tap->rate * NS_PER_S + tap->rate - 1) / tap->rate;
}

static enum order read_order(const struct tap *tap)
{
    char word[8] = {0};
    if (!tap->ctl)
        return ORDER_NONE;
    int file = open(tap->ctl, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return ORDER_NONE; /* no file, no order */
    ssize_t got = read(file, word, sizeof word - 1);
    close(file);
    if (got <= 0)
        return ORDER_NONE;
    if (!strncmp(word, "xrun", 4))
        return ORDER_XRUN;
    if (!strncmp(word, "gone", 4))
        return ORDER_GONE;
    if (!strncmp(word, "stall", 5))
        return ORDER_STALL;
    return ORDER_NONE;
}

static enum order order_now(struct tap *tap)
{
    int64_t now = now_ns();
    /* A pulled card stays pulled for this stream, whatever the file says later. */
    if (tap->order != ORDER_GONE && now - tap->order_ns >= CTL_EVERY_NS) {
        tap->order = read_order(tap);
        tap->order_ns = now;
    }
    return tap->order;
}

/* Frames fetched since the latest start; ALSA sets the pointer back whenever a stream is prepared. */
static int64_t fetched(const snd_pcm_ioplug_t *io)
{
    return (int64_t)io->appl_ptr;
}

/* Make the timer readable when `frames` frames since the start are complete. */
static int wake_at(struct tap *tap, int64_t frames)
{
    int64_t at = tap->started_ns + ns_of(tap, frames);
    struct itimerspec when = {.it_value = {.tv_sec = at / NS_PER_S, .tv_nsec = at % NS_PER_S}};
    return timerfd_settime(tap->timer, TFD_TIMER_ABSTIME, &when, NULL) < 0 ? -errno : 0;
}

static int tap_start(snd_pcm_ioplug_t *io)
{
    struct tap *tap = io->private_data;
    if (order_now(tap) == ORDER_GONE)
        return -ENODEV;
    tap->started_ns = now_ns();
    if (!tap->opened_ns) {
        tap->opened_ns = tap->started_ns;
        tap->opened_frame = 0;
        if (tap->has_epoch) {
            struct timespec clock;
            if (clock_gettime(CLOCK_REALTIME, &clock) < 0)
                return -errno;
            double since = (double)clock.tv_sec + (double)clock.tv_nsec / NS_PER_S - tap->epoch;
            tap->opened_frame = since > 0 ? (int64_t)(since * tap->rate) : 0;
        }
    }
    /* The recording went on during an overrun: what was not fetched in time is lost, as on a real card. */
    tap->base = tap->opened_frame + frames_in(tap, tap->started_ns - tap->opened_ns);
    tap->running = true;
    return wake_at(tap, (int64_t)io->period_size);
}

static int tap_stop(snd_pcm_ioplug_t *io)
{
    struct tap *tap = io->private_data;
    struct itimerspec never = {0};
    tap->running = false;
    return timerfd_settime(tap->timer, 0, &never, NULL) < 0 ? -errno : 0;
}

static int tap_prepare(snd_pcm_ioplug_t *io)
{
    struct tap *tap = io->private_data;
    tap->running = false;
    return order_now(tap) == ORDER_GONE ? -ENODEV : 0;
}

static snd_pcm_sframes_t tap_pointer(snd_pcm_ioplug_t *io)
{
    struct tap *tap = io->private_data;
    int64_t size = (int64_t)io->buffer_size;
    if (!tap->running)
        return 0;
    switch (order_now(tap)) {
    case ORDER_GONE:
        snd_pcm_ioplug_set_state(io, SND_PCM_STATE_DISCONNECTED);
        return -ENODEV;
    case ORDER_XRUN:
        /* If it cannot be removed it would happen for ever: then it counts as a stream that died. */
        if (unlink(tap->ctl) < 0 && errno != ENOENT)
            return -EIO;
        tap->order = ORDER_NONE;
        return -EPIPE;
    case ORDER_STALL:
        return (snd_pcm_sframes_t)(fetched(io) % size);
    case ORDER_NONE:
        break;
    }
    int64_t complete = frames_in(tap, now_ns() - tap->started_ns);
    if (complete - fetched(io) >= size)
        return -EPIPE;
    return (snd_pcm_sframes_t)(complete % size);
}

/* Fill `frames` frames from the recording at `frame`; what the recording does not hold is silence. */
static int fill(const struct tap *tap, char *to, int64_t frame, int64_t frames)
{
    const int64_t width = (int64_t)tap->channels * SAMPLE_BYTES;
    while (frames > 0) {
        int64_t at = tap->loop ? frame % tap->length : frame;
        int64_t run = at < tap->length ? tap->length - at : 0;
        if (run > frames)
            run = frames;
        if (run == 0) {
            memset(to, 0, (size_t)(frames * width));
            return 0;
        }
        for (int64_t done = 0; done < run * width;) {
            ssize_t got = pread(tap->file, to + done, (size_t)(run * width - done), at * width + done);
            if (got < 0 && errno == EINTR)
                continue;
            if (got <= 0) /* the file was cut while we play it */
                return got < 0 ? -errno : -EIO;
            done += got;
        }
        to += run * width;
        frame += run;
        frames -= run;
    }
    return 0;
}

static snd_pcm_sframes_t tap_transfer(snd_pcm_ioplug_t *io, const snd_pcm_channel_area_t *areas,
                                      snd_pcm_uframes_t offset, snd_pcm_uframes_t size)
{
    struct tap *tap = io->private_data;
    if (order_now(tap) == ORDER_GONE)
        return -ENODEV;
    /* Interleaved access only (see constrain): the first area's step is a whole frame. */
    char *to = (char *)areas->addr + (areas->first + areas->step * offset) / 8;
    /* A reader through mapped memory has the same frames transferred again until it has fetched them. */
    int error = fill(tap, to, tap->base + fetched(io), (int64_t)size);
    return error < 0 ? error : (snd_pcm_sframes_t)size;
}

static int tap_revents(snd_pcm_ioplug_t *io, struct pollfd *fds, unsigned int count, unsigned short *revents)
{
    struct tap *tap = io->private_data;
    *revents = 0;
    if (count != 1)
        return -EINVAL;
    if (!(fds->revents & POLLIN))
        return 0;
    int64_t complete = frames_in(tap, now_ns() - tap->started_ns);
    switch (order_now(tap)) {
    case ORDER_GONE:
        *revents = POLLERR | POLLHUP;
        return 0;
    case ORDER_STALL: /* look again one period from now, without waking the reader */
        return wake_at(tap, complete + (int64_t)io->period_size);
    case ORDER_XRUN:
    case ORDER_NONE:
        break;
    }
    if (complete - fetched(io) < (int64_t)io->period_size)
        return wake_at(tap, fetched(io) + (int64_t)io->period_size);
    *revents = POLLIN;
    return 0;
}

static void tap_free(struct tap *tap)
{
    if (tap->timer >= 0)
        close(tap->timer);
    if (tap->file >= 0)
        close(tap->file);
    free(tap->infile);
    free(tap->ctl);
    free(tap);
}

static int tap_close(snd_pcm_ioplug_t *io)
{
    tap_free(io->private_data);
    return 0;
}

static const snd_pcm_ioplug_callback_t callbacks = {
    .start = tap_start,
    .stop = tap_stop,
    .prepare = tap_prepare,
    .pointer = tap_pointer,
    .transfer = tap_transfer,
    .poll_revents = tap_revents,
    .close = tap_close,
};

static int read_text(snd_config_t *entry, const char *id, char **text)
{
    const char *value;
    if (snd_config_get_string(entry, &value) < 0) {
        SNDERR("mamoritap: %s must be a string", id);
        return -EINVAL;
    }
    free(*text);
    *text = strdup(value);
    return *text ? 0 : -ENOMEM;
}

static int read_number(snd_config_t *entry, const char *id, long low, long high, unsigned *number)
{
    long value;
    if (snd_config_get_integer(entry, &value) < 0 || value < low || value > high) {
        SNDERR("mamoritap: %s must be a whole number from %ld to %ld", id, low, high);
        return -EINVAL;
    }
    *number = (unsigned)value;
    return 0;
}

static int read_entry(struct tap *tap, snd_config_t *entry)
{
    const char *id;
    if (snd_config_get_id(entry, &id) < 0)
        return 0;
    if (!strcmp(id, "type") || !strcmp(id, "comment") || !strcmp(id, "hint"))
        return 0;
    if (!strcmp(id, "infile"))
        return read_text(entry, id, &tap->infile);
    if (!strcmp(id, "ctl"))
        return read_text(entry, id, &tap->ctl);
    if (!strcmp(id, "channels"))
        return read_number(entry, id, 1, MAX_CHANNELS, &tap->channels);
    if (!strcmp(id, "rate"))
        return read_number(entry, id, 4000, 192000, &tap->rate);
    if (!strcmp(id, "loop")) {
        int value = snd_config_get_bool(entry);
        if (value < 0) {
            SNDERR("mamoritap: loop must be yes or no");
            return -EINVAL;
        }
        tap->loop = value;
        return 0;
    }
    if (!strcmp(id, "epoch")) {
        if (snd_config_get_ireal(entry, &tap->epoch) < 0) {
            SNDERR("mamoritap: epoch must be unix time in seconds");
            return -EINVAL;
        }
        tap->has_epoch = true;
        return 0;
    }
    SNDERR("mamoritap: unknown field %s", id);
    return -EINVAL;
}

static int open_recording(struct tap *tap)
{
    struct stat status;
    if (!tap->infile) {
        SNDERR("mamoritap: infile is missing");
        return -EINVAL;
    }
    tap->file = open(tap->infile, O_RDONLY | O_CLOEXEC);
    if (tap->file < 0 || fstat(tap->file, &status) < 0) {
        int error = -errno;
        SNDERR("mamoritap: %s: %s", tap->infile, strerror(-error));
        return error;
    }
    tap->length = status.st_size / (SAMPLE_BYTES * (int64_t)tap->channels);
    if (tap->length == 0) {
        SNDERR("mamoritap: %s holds no frame of %u channels", tap->infile, tap->channels);
        return -EINVAL;
    }
    return 0;
}

static int constrain(struct tap *tap)
{
    /* Mapped access too, as real cards have: PortAudio restarts a stream after an overrun only then. */
    const unsigned access[] = {SND_PCM_ACCESS_MMAP_INTERLEAVED, SND_PCM_ACCESS_RW_INTERLEAVED};
    const unsigned format[] = {SND_PCM_FORMAT_S16_LE};
    const unsigned width = tap->channels * SAMPLE_BYTES;
    snd_pcm_ioplug_t *io = &tap->io;
    int error;
    if ((error = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_ACCESS, 2, access)) < 0 ||
        (error = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_FORMAT, 1, format)) < 0 ||
        (error = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_CHANNELS, tap->channels, tap->channels)) < 0 ||
        (error = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_RATE, tap->rate, tap->rate)) < 0 ||
        /* A period of 64 frames up to one second. */
        (error = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_PERIOD_BYTES, 64 * width, tap->rate * width)) < 0 ||
        /* PortAudio takes the shortest buffer there is: eight periods outlast a machine that is busy for a moment. */
        (error = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_PERIODS, 8, 64)) < 0)
        return error;
    return 0;
}

SND_PCM_PLUGIN_DEFINE_FUNC(mamoritap)
{
    (void)root;
    if (stream != SND_PCM_STREAM_CAPTURE)
        return -ENODEV;
    struct tap *tap = calloc(1, sizeof *tap);
    if (!tap)
        return -ENOMEM;
    tap->channels = 2;
    tap->rate = 8000;
    tap->file = tap->timer = -1;

    int error = 0;
    snd_config_iterator_t i, next;
    snd_config_for_each(i, next, conf)
    {
        if ((error = read_entry(tap, snd_config_iterator_entry(i))) < 0)
            goto failed;
    }
    if (read_order(tap) == ORDER_GONE) {
        error = -ENODEV;
        goto failed;
    }
    if ((error = open_recording(tap)) < 0)
        goto failed;
    tap->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (tap->timer < 0) {
        error = -errno;
        goto failed;
    }
    tap->io.version = SND_PCM_IOPLUG_VERSION;
    tap->io.name = "Mamori recorded line tap";
    tap->io.flags = SND_PCM_IOPLUG_FLAG_MONOTONIC;
    tap->io.poll_fd = tap->timer;
    tap->io.poll_events = POLLIN;
    tap->io.callback = &callbacks;
    tap->io.private_data = tap;
    if ((error = snd_pcm_ioplug_create(&tap->io, name, stream, mode)) < 0)
        goto failed;
    if ((error = constrain(tap)) < 0) {
        snd_pcm_ioplug_delete(&tap->io); /* closes, and by that frees, the tap */
        return error;
    }
    *pcmp = tap->io.pcm;
    return 0;

failed:
    tap_free(tap);
    return error;
}

SND_PCM_PLUGIN_SYMBOL(mamoritap);
