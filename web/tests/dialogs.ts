/** jsdom has `dialog`, but does not show it. */
export function withDialogs(): void {
  HTMLDialogElement.prototype.showModal = function () {
    this.setAttribute('open', '')
  }
}

/** The dialog that is open: its title, its parts, and Escape. */
export function dialog() {
  const shown = document.querySelector('dialog[open]')
  const within = <T extends Element>(selector: string) => shown?.querySelector<T>(selector) ?? null
  const press = (name: string) => [...(shown?.querySelectorAll('button') ?? [])].find((button) => button.textContent.trim() === name)?.click()
  const submit = () => within<HTMLFormElement>('form')?.dispatchEvent(new Event('submit', { cancelable: true }))
  function fill(selector: string, value: string) {
    const field = within<HTMLInputElement>(selector)
    if (!field) throw new Error(`there is no ${selector}`)
    field.value = value
    field.dispatchEvent(new Event('input'))
    field.dispatchEvent(new Event('change'))
  }
  return {
    isOpen: shown !== null,
    title: within('h2')?.textContent ?? null,
    text: shown?.textContent ?? '',
    alert: () => within('[role=alert]')?.textContent ?? null,
    within,
    press,
    submit,
    fill,
    choose: (value: string) => within<HTMLInputElement>(`input[value="${value}"]`)?.click(),
    escape: () => shown?.dispatchEvent(new Event('cancel', { cancelable: true })),
  }
}
