import { onUnmounted, ref } from 'vue'

import { SEVERITIES, type Severity, type Warning } from '@/api/types'

/** Minimum time between two tones for new alerts. */
const QUIET_MS = 2_000
/** Pitch in hertz by severity; the worst of the new alerts is played. */
const PITCH: Record<Severity, number> = { high: 880, medium: 660, low: 440 }

export function useAlertSound() {
  const on = ref(false)
  let context: AudioContext | null = null
  let last = 0

  function tone(pitch: number) {
    if (!context) return
    const oscillator = new OscillatorNode(context, { frequency: pitch })
    const volume = new GainNode(context, { gain: 0 })
    const at = context.currentTime
    volume.gain.linearRampToValueAtTime(0.12, at + 0.02)
    volume.gain.linearRampToValueAtTime(0, at + 0.35)
    oscillator.connect(volume).connect(context.destination)
    oscillator.start(at)
    oscillator.stop(at + 0.4)
  }

  function toggle() {
    on.value = !on.value
    // Browsers allow sound only after a user action, such as this click.
    if (on.value) context ??= new AudioContext()
    if (on.value) tone(PITCH.low)
  }

  function announce(fresh: readonly Warning[]) {
    const now = Date.now()
    if (!on.value || now - last < QUIET_MS) return
    const found = SEVERITIES.find((severity) => fresh.some((alert) => alert.severity === severity))
    if (!found) return
    last = now
    tone(PITCH[found])
  }

  onUnmounted(() => void context?.close())
  return { on, toggle, announce }
}
