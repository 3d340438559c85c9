process.on('message', (message: { type: string; text?: string }) => {
  if (message.type === 'say') process.send?.({ type: 'said', text: message.text })
  if (message.type === 'fail') throw new Error('told to fail')
})
process.send?.({ type: 'ready', args: process.argv.slice(2) })
