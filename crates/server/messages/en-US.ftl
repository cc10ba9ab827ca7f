# The wallet's words in English. Every key stands in ar-IQ.ftl too.

wallet-name = accord
language-name = English
direction = ltr
digits = 0123456789
group-mark = ,
decimal-mark = .
languages = Languages
skip-to-content = Skip to the content

## Money and time

money = { $number } { $code }
money-named = { $number } { $code }
currency-iqd = Iraqi dinars
currency-usd = US dollars
date-time = { $day } { $month } { $year }, { $time } (Baghdad)
month-1 = January
month-2 = February
month-3 = March
month-4 = April
month-5 = May
month-6 = June
month-7 = July
month-8 = August
month-9 = September
month-10 = October
month-11 = November
month-12 = December

## The authorization page

authorize-title = Let { $merchant } debit your wallet?
legal-name = { $name } (registered name)
contract-heading = The agreement
scopes-heading = What you would allow
scope-agreement-pay = Take payments from your wallet without asking you each time.
scope-user-login-id = See your login id with most of it hidden.
scope-base-user-info = See the number under which the wallet knows you.
scope-hash-login-id = Recognise your login id by a fingerprint, without being able to read it.
scope-send-otp = Have the wallet send you one-time codes.
scope-auth-base = Know that it is you, under a number of the wallet.
scope-auth-user = See your name and your picture.
scope-user-name = See your name.
scope-user-avatar = See your picture.
scope-user-gender = See your gender.
scope-user-birthday = See your date of birth.
scope-user-nationality = See your nationality.
scope-user-contactinfo = See your phone numbers and e-mail addresses.
scope-notification-inbox = Write to your inbox in the wallet.
scope-notification-push = Send messages to your phone through the wallet.
agree-debit = I have read this, and I agree that { $merchant } may take payments from my wallet without asking me each time, until I end the agreement.
agree-access = I have read this, and I allow { $merchant } what is listed here, until I end the agreement.
sign-in-heading = Sign in and decide
signed-in-as = Signed in as { $login }. To agree, please type your PIN.
login-id = Phone number or e-mail
login-id-other = Another account (leave empty to stay signed in)
pin = PIN
approve = Agree
refuse = Refuse
authorize-note = Refusing needs no PIN. You can end an agreement in the wallet at any time.
due-every-month = Debits are due every month.
due-every-quarter = Debits are due every three months.
due-every-year = Debits are due every year.
limit-debit = At most { $amount } for one debit.
limit-count = At most { $count } debits in all.
limit-from = No debit before { $time }.
limit-to = No debit from { $time } on.
own-limits = Limit what this merchant may take
own-limit-debit-label = Most for one debit, in whole { $currency }
own-limit-month-label = Most for a calendar month, in whole { $currency }
own-limits-note = Leave a field empty for no limit of your own. You can change your limits later.
own-limit-debit = I allow at most { $amount } for one debit.
own-limit-month = I allow at most { $amount } for a calendar month.
hint-limit-unreadable = Please write each limit as a whole number above zero, or leave it empty. Nothing has been decided yet.
authorize-deadline = You can decide until { $time }.

hint-tick-the-box = If you agree, please tick the box first. Nothing has been decided yet.
hint-sign-in = Please type your phone number or e-mail and your PIN.
hint-wrong-sign-in = Login and PIN do not match. Please try again.
hint-too-many-tries = Too many wrong PINs. You can try again from { $time }. Your existing agreements are not affected.
hint-session-blocked = Too many wrong PINs for this request. Please start again at the merchant.
hint-form-too-old = This form was too old. Please check it and decide again.
hint-not-allowed = This account cannot make agreements yet. Please complete your identification in the wallet.
hint-unavailable = That did not work just now, and nothing has been decided. Please try again in a moment.

authorize-title-access = Let { $merchant } use your data?
authorize-eyebrow = A request to your wallet, { $wallet }
network = This agreement is made by way of { $network }.
contract-open = (open the full text)
fact-partner = Your partner in law
fact-rhythm = How often
fact-amount = How much
fact-span = How long
fact-end = How to stop
fact-account = Your account
fact-end-how = End it in the wallet or at the merchant, at any time and without a reason.
due-any-time = Whenever the merchant asks: no rhythm is agreed. You are told after every payment.
limit-none = No maximum is agreed.
limit-none-own = No maximum is agreed. You can set limits of your own.
limit-day = At most { $amount } a day.
limit-week = At most { $amount } a week.
limit-month = At most { $amount } a month.
limit-year = At most { $amount } a year.
limit-to-none = Until you end it.
hint-box = Please tick this box if you agree.
hint-cookie-missing = Your browser did not send our cookie, without which we cannot know that this form is yours. Please allow cookies for this site and decide again. Nothing has been decided yet.
hint-agree-again = Too much time has passed since you typed your PIN. Please tick the box and type it again. Nothing has been decided yet.
text-link = Read the agreement on a page of its own
new-tab = (opens in a new tab)
text-title = Agreement with { $merchant }
text-back = Back to the decision
confirm-eyebrow = Please confirm
confirm-title = Agree with { $merchant }?
confirm-debit = From now on { $merchant } can take payments from your wallet without asking you each time.
confirm-access = From now on { $merchant } can do what you have just read.
confirm-end = Until you end it in the wallet or at the merchant.
confirm-approve = Yes, I agree
confirm-refuse-title = Refuse the agreement with { $merchant }?
confirm-refuse-text = { $merchant } is told that you refused, and no money moves.
confirm-refuse = Yes, I refuse
confirm-back = Back

## When it is decided

approved-title = You have agreed
approved-text = { $merchant } may now take payments under this agreement.
approved-by = Agreed by { $login }.
approved-next = After every payment the wallet sends you a message with the merchant, the amount and the time.
approved-stop = If you change your mind, end the agreement in the wallet or at the merchant.
refused-title = You have refused
refused-text = { $merchant } cannot take payments under this agreement. No money has moved.
expired-title = The time is over
expired-text = Nobody decided in time, so there is no agreement with { $merchant }. Please start again at the merchant.
decided-title = Already decided
decided-approved = The agreement with { $merchant } was made. There is nothing more to do here.
decided-refused = The agreement with { $merchant } was refused. There is nothing more to do here.
unknown-title = There is nothing here
unknown-text = This link belongs to no open request. Please go back to the merchant and start again.
unavailable-title = Please try again
unavailable-text = The wallet could not answer just now. Open the link again in a moment; if it was decided already, you will see that.
back-to-merchant = Go on to { $merchant }
bridge-refused = The user refused.
bridge-network = The network failed.
bridge-not-signed = The agreement was not signed.
bridge-unknown = The outcome is not known; it may have been signed.

## From a PC to a phone

handover-heading = Or decide on your phone
handover-how = Scan this code with your phone. The phone then asks for the number that stands here.
handover-alt = QR code that opens this request on your phone
handover-number = Number
handover-taken = Your phone has this request. Decide there; this page then goes on by itself.
handover-dead = Too many wrong numbers were typed on a phone, so the code is closed. You can still decide here.
handover-continue = I have decided on my phone: go on
scan-title = Request from { $merchant }
scan-opened = On a computer this request was opened on { $time }.
scan-from = From { $browser } on { $system }, at the address { $address }.
scan-from-device = From { $device }, at the address { $address }.
scan-from-address = From the address { $address }.
scan-not-you = If it was not you who opened it, close this page: somebody may want you to pay for them.
scan-number = The number that the computer shows
scan-go = Continue
scan-wrong = That is another number. Tries left: { $left }.
scan-unreadable = Please type the two digits that the computer shows.
scan-asked = { $merchant } sent this request on { $time }.
scan-direct = Continue only if you started it at { $merchant } yourself.
scan-dead-title = This code is closed
scan-dead-text = Too many wrong numbers were typed. Decide on the computer, or start again at { $merchant }.
handed-approved = The computer now goes back to { $merchant } by itself. You can close this page.
handed-refused = The computer now goes back to { $merchant } by itself. You can close this page; no money has moved.

## Messages about debits

message-paid-title = Paid: { $amount } to { $merchant }
message-paid = { $merchant } took { $amount } from your wallet on { $time }, as you agreed.
message-declined-title = Not paid: { $amount } to { $merchant }
message-declined = { $merchant } asked for { $amount } from your wallet on { $time }. The payment was declined, and no money was taken.
message-payment-id = Payment number: { $payment }
message-stop = To stop payments to { $merchant }, end the agreement in the wallet or at the merchant.
reason-balance = Reason: there was not enough money in your wallet.
reason-account = Reason: your wallet has no account in that currency.
reason-limit = Reason: a limit that applies to this agreement or to your wallet was reached.
reason-paused = Reason: the agreement is paused.
reason-agreement = Reason: the agreement no longer holds.
reason-user = Reason: your wallet cannot make payments at present. Please contact us.
reason-risk = Reason: the payment looked unusual, so we stopped it to protect you.
reason-order = Reason: the order had expired or was cancelled.
reason-merchant = Reason: the merchant's request could not be carried out.

## Home, and paths that lead nowhere

home-title = accord, a wallet that keeps agreements
home-what = accord is the wallet's side of agreement payments: you agree once with a merchant, and later payments need no further step from you.
home-how = Merchants ask through a signed interface, you decide on our page, and after every payment you are told.
home-sandbox = This is a sandbox: its users, money and merchants are made up.
home-demo = Try it with the demo merchant
not-found-title = Page not found
not-found-text = There is no page at this address.

## The demo merchant

demo-title = The demo merchant
demo-lead = A merchant to try agreement payments with, step by step. The wallet is at { $url }; everything between them is signed and goes over HTTP.
demo-qi = Qi mini program
demo-alipay-plus = Alipay+ Auto Debit
demo-qi-what = A mini program asks for an agreement with my.call("qicardSignContract") and gets the code in its callback.
demo-alipay-plus-what = A merchant sends the browser to the wallet's page and gets the code in the address it comes back to.
demo-start = Start
demo-step-prepare = 1. Ask for an agreement
demo-step-prepare-what = The merchant proposes the agreement; the wallet answers with the address of its page.
demo-step-open = 2. Let the user decide
demo-step-open-qi-what = The mini program opens the wallet's page at top level. Sign in as one of these users and decide; the callback gets a code, or an error.
demo-step-open-alipay-plus-what = The browser goes to the wallet's page. Sign in as one of these users and decide; the wallet sends the browser back with a code, or without one.
demo-user-about = Account
demo-open-page = Open the wallet's page
demo-no-script = Without scripts there is no my.call: open the page by the link below, and copy what stands after authCode= in the address you come back to.
demo-give-up = The user closed the page (6001)
demo-use-code = Use this code
demo-needs-prepare = Do step 1 first.
demo-step-token = 3. Redeem the code
demo-step-token-what = The merchant redeems the code for an access token and a refresh token.
demo-step-pay = 4. Take a payment
demo-step-pay-what = The merchant debits the user with the access token. The user does nothing, and is told.
demo-amount = Amount in smallest units (25000000 is 25,000 dinars)
demo-currency = Currency
demo-step-inquiry = 5. Ask what became of it
demo-step-inquiry-what = The merchant asks for the result of the last payment.
demo-step-refresh = 6. Renew the tokens
demo-step-refresh-what = The merchant exchanges the refresh token for a new pair.
demo-step-cancel = 7. End the agreement
demo-step-cancel-what = The merchant ends the agreement. After this, step 4 fails.
demo-cancelled = The agreement has ended.
demo-step-login = Log in
demo-step-login-what = The mini program asks who its user is: my.getAuthCode gives it a code, the merchant redeems it and asks for the user's data. It cannot debit by that.
demo-step-consult = When the user ends it
demo-step-consult-what = Before a user ends the agreement in the wallet, the wallet asks this merchant. What shall it answer?
demo-consult-set = Answer so
demo-step-reset = Start over
demo-step-reset-what = The demo merchant forgets everything it holds. The wallet does not.
demo-wire = On the wire
demo-notifications = Notifications received
demo-messages = The user's messages
demo-nothing-yet = Nothing yet.
demo-request = Request
demo-reply = Reply
demo-no-reply = No reply.
demo-signed-content = The exact content that is signed
demo-raw-body = The body, byte for byte
demo-signature-made = Signed by the demo merchant
demo-signature-verified = Signature of the wallet: verified
demo-signature-wrong = Signature not accepted: { $reason }

message-refund-title = Refund of { $amount } from { $merchant }
message-refund = { $merchant } gave { $amount } back to you on { $time }.
message-upcoming-title = { $merchant } will debit you on { $time }
message-upcoming = { $merchant } will debit { $amount } from your wallet on { $time }.
message-upcoming-any = { $merchant } will debit your wallet on { $time }.
message-ended-title = Your agreement with { $merchant } has ended
message-ended-merchant = { $merchant } ended the agreement on { $time }. It can no longer debit you.
message-ended-user = You ended the agreement with { $merchant } on { $time }. It can no longer debit you.
message-ended-wallet = We ended your agreement with { $merchant } on { $time }. It can no longer debit you.
message-code-title = Your code for { $merchant }
message-code = { $code } is your code for { $merchant }. It is good until { $time }. Give it to nobody else.
message-from-merchant = { $merchant }: { $title }

## Messages that leave the wallet

mail-note = You get this message because you have an account in our wallet. We never ask for your PIN in an e-mail.
sms-paid = Paid { $amount } to { $merchant }. Payment { $payment }
sms-declined = Not paid: { $amount } to { $merchant }. Payment { $payment }
sms-refund = { $merchant } gave { $amount } back to you. Payment { $payment }
sms-upcoming = { $merchant } will debit { $amount } on { $time }.
sms-upcoming-any = { $merchant } will debit your wallet on { $time }.
sms-ended = Your agreement with { $merchant } has ended. It can no longer debit you.
sms-ended-user = You ended your agreement with { $merchant }. It can no longer debit you.
sms-code = { $code } is your code for { $merchant }. Give it to nobody else.
