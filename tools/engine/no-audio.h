// In place of the audio library that the engine's sources include: decodes nothing, so this build hears nothing.
#pragma once
#include <stddef.h>
typedef int ma_result;
typedef unsigned long long ma_uint64;
typedef struct { int unused; } ma_decoder_config;
typedef struct { int unused; } ma_decoder;
#define MA_SUCCESS 0
#define ma_format_f32 5
static ma_decoder_config ma_decoder_config_init(int format, int channels, int rate) {
  ma_decoder_config config = { format + channels + rate };
  return config;
}
static ma_result ma_decoder_init_memory(const void *, size_t, const ma_decoder_config *, ma_decoder *) { return -1; }
static ma_result ma_decoder_get_length_in_pcm_frames(ma_decoder *, ma_uint64 *count) { return *count = 0, -1; }
static ma_result ma_decoder_read_pcm_frames(ma_decoder *, void *, ma_uint64, ma_uint64 *read) { return *read = 0, -1; }
static ma_result ma_decoder_uninit(ma_decoder *) { return 0; }
