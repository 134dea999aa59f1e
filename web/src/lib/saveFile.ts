/** Saves a file, like a click on a download link. */
export function saveFile(name: string, content: Blob): void {
  const url = URL.createObjectURL(content)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  // The browser needs the object URL until it has started to save.
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
