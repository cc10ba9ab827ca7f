# The wallet's words in Arabic as written in Iraq. Every key stands in en-US.ftl too.

wallet-name = accord
language-name = العربية
direction = rtl
digits = ٠١٢٣٤٥٦٧٨٩
group-mark = ٬
decimal-mark = ٫
languages = اللغات
skip-to-content = انتقل إلى المحتوى

## Money and time

money = { $number } { $code }
money-named = { $number } { $name } ({ $code })
currency-iqd = دينار عراقي
currency-usd = دولار أمريكي
date-time = { $day } { $month } { $year }، { $time } (بغداد)
month-1 = كانون الثاني
month-2 = شباط
month-3 = آذار
month-4 = نيسان
month-5 = أيار
month-6 = حزيران
month-7 = تموز
month-8 = آب
month-9 = أيلول
month-10 = تشرين الأول
month-11 = تشرين الثاني
month-12 = كانون الأول

## The authorization page

authorize-title = هل تسمح لـ { $merchant } بالسحب من محفظتك؟
legal-name = { $name } (الاسم المسجّل)
contract-heading = نص الاتفاق
scopes-heading = ما الذي ستسمح به
scope-agreement-pay = سحب مدفوعات من محفظتك دون سؤالك في كل مرة.
scope-user-login-id = رؤية معرّف الدخول الخاص بك مع إخفاء معظمه.
scope-base-user-info = معرفة الرقم الذي تعرفك به المحفظة.
scope-hash-login-id = التعرّف على معرّف الدخول الخاص بك ببصمة رقمية، دون التمكن من قراءته.
scope-send-otp = الطلب من المحفظة أن ترسل إليك رموزًا لمرة واحدة.
scope-auth-base = معرفة أنك أنت، برقم تعرفك به المحفظة.
scope-auth-user = رؤية اسمك وصورتك.
scope-user-name = رؤية اسمك.
scope-user-avatar = رؤية صورتك.
scope-user-gender = رؤية جنسك.
scope-user-birthday = رؤية تاريخ ميلادك.
scope-user-nationality = رؤية جنسيتك.
scope-user-contactinfo = رؤية أرقام هاتفك وعناوين بريدك الإلكتروني.
scope-notification-inbox = الكتابة إلى صندوق رسائلك في المحفظة.
scope-notification-push = إرسال رسائل إلى هاتفك عبر المحفظة.
agree-debit = قرأت ما سبق وأوافق على أن تسحب { $merchant } مدفوعات من محفظتي دون سؤالي في كل مرة، إلى أن أنهي الاتفاق.
agree-access = قرأت ما سبق وأسمح لـ { $merchant } بما هو مذكور هنا، إلى أن أنهي الاتفاق.
sign-in-heading = سجّل الدخول وقرّر
signed-in-as = أنت مسجّل الدخول باسم { $login }. للموافقة، أدخل رمزك السري.
login-id = رقم الهاتف أو البريد الإلكتروني
login-id-other = حساب آخر (اتركه فارغًا للبقاء على حسابك)
pin = الرمز السري (PIN)
approve = موافق
refuse = أرفض
authorize-note = الرفض لا يحتاج إلى رمز سري. يمكنك إنهاء أي اتفاق من المحفظة في أي وقت.
due-every-month = تستحق الدفعات كل شهر.
due-every-quarter = تستحق الدفعات كل ثلاثة أشهر.
due-every-year = تستحق الدفعات كل سنة.
limit-debit = { $amount } كحد أقصى لكل عملية سحب.
limit-count = { $count } عملية سحب كحد أقصى في المجموع.
limit-from = لا سحب قبل { $time }.
limit-to = لا سحب ابتداءً من { $time }.
own-limits = حدّد ما يمكن لهذا التاجر سحبه
own-limit-debit-label = الحد الأقصى لكل عملية سحب، بوحدات كاملة من { $currency }
own-limit-month-label = الحد الأقصى للشهر التقويمي، بوحدات كاملة من { $currency }
own-limits-note = اترك الحقل فارغًا إن لم ترد حدًا خاصًا بك. يمكنك تغيير حدودك لاحقًا.
own-limit-debit = أسمح بسحب { $amount } كحد أقصى لكل عملية.
own-limit-month = أسمح بسحب { $amount } كحد أقصى في الشهر التقويمي.
hint-limit-unreadable = يرجى كتابة كل حد كعدد صحيح أكبر من الصفر أو تركه فارغًا. لم يُقرَّر شيء بعد.
authorize-deadline = يمكنك أن تقرّر حتى { $time }.

hint-tick-the-box = إن كنت موافقًا فضع علامة في المربع أولًا. لم يُتخذ أي قرار بعد.
hint-sign-in = أدخل رقم هاتفك أو بريدك الإلكتروني ورمزك السري.
hint-wrong-sign-in = معرّف الدخول والرمز السري غير متطابقين. حاول مرة أخرى.
hint-too-many-tries = أُدخل رمز سري خاطئ مرات كثيرة. يمكنك المحاولة من جديد ابتداءً من { $time }. اتفاقاتك القائمة لا تتأثر بذلك.
hint-session-blocked = أُدخل رمز سري خاطئ مرات كثيرة في هذا الطلب. ابدأ من جديد عند التاجر.
hint-form-too-old = هذا النموذج قديم. راجعه ثم قرّر مرة أخرى.
hint-not-allowed = لا يمكن لهذا الحساب عقد اتفاقات بعد. أكمل التحقق من هويتك في المحفظة.
hint-unavailable = تعذّر ذلك الآن ولم يُتخذ أي قرار. حاول مرة أخرى بعد قليل.

authorize-title-access = هل تسمح لـ { $merchant } باستخدام بياناتك؟
authorize-eyebrow = طلب موجّه إلى محفظتك { $wallet }
network = يُعقد هذا الاتفاق عن طريق { $network }.
contract-open = (افتح النص الكامل)
fact-partner = الطرف القانوني
fact-rhythm = كم مرة
fact-amount = كم المبلغ
fact-span = كم المدة
fact-end = كيف توقفه
fact-account = حسابك
fact-end-how = أنهِه من المحفظة أو عند التاجر، في أي وقت ومن دون ذكر سبب.
due-any-time = متى طلب التاجر، فلا موعد متفق عليه. نخبرك بعد كل عملية دفع.
limit-none = لا يوجد حد أقصى متفق عليه.
limit-none-own = لا يوجد حد أقصى متفق عليه. يمكنك وضع حدود خاصة بك.
limit-day = { $amount } كحد أقصى في اليوم.
limit-week = { $amount } كحد أقصى في الأسبوع.
limit-month = { $amount } كحد أقصى في الشهر.
limit-year = { $amount } كحد أقصى في السنة.
limit-to-none = إلى أن تنهيه.
hint-box = ضع علامة في هذا المربع إن كنت موافقًا.
hint-cookie-missing = لم يرسل متصفحك ملف تعريف الارتباط الخاص بنا، ومن دونه لا نعرف أن هذا النموذج لك. اسمح بملفات تعريف الارتباط لهذا الموقع ثم قرّر مرة أخرى. لم يُتخذ أي قرار بعد.
hint-agree-again = مضى وقت طويل منذ أدخلت رمزك السري. ضع العلامة وأدخل الرمز مرة أخرى. لم يُتخذ أي قرار بعد.
text-link = اقرأ الاتفاق في صفحة مستقلة
new-tab = (تُفتح في علامة تبويب جديدة)
text-title = الاتفاق مع { $merchant }
text-back = العودة إلى القرار
confirm-eyebrow = يرجى التأكيد
confirm-title = هل توافق على الاتفاق مع { $merchant }؟
confirm-debit = من الآن فصاعدًا يمكن لـ { $merchant } سحب مدفوعات من محفظتك دون سؤالك في كل مرة.
confirm-access = من الآن فصاعدًا يمكن لـ { $merchant } القيام بما قرأته قبل قليل.
confirm-end = إلى أن تنهيه من المحفظة أو عند التاجر.
confirm-approve = نعم، أوافق
confirm-refuse-title = هل ترفض الاتفاق مع { $merchant }؟
confirm-refuse-text = سيعرف { $merchant } أنك رفضت، ولن يُسحب أي مبلغ.
confirm-refuse = نعم، أرفض
confirm-back = رجوع

## When it is decided

approved-title = لقد وافقت
approved-text = يمكن لـ { $merchant } الآن سحب مدفوعات بموجب هذا الاتفاق.
approved-by = صاحب الموافقة: { $login }.
approved-next = بعد كل عملية دفع ترسل إليك المحفظة رسالة فيها اسم التاجر والمبلغ والوقت.
approved-stop = إن غيّرت رأيك فأنهِ الاتفاق من المحفظة أو عند التاجر.
refused-title = لقد رفضت
refused-text = لا يمكن لـ { $merchant } سحب مدفوعات بموجب هذا الاتفاق. لم يُسحب أي مبلغ.
expired-title = انتهى الوقت
expired-text = لم يُتخذ قرار في الوقت المحدد، فلا يوجد اتفاق مع { $merchant }. ابدأ من جديد عند التاجر.
decided-title = اتُّخذ القرار من قبل
decided-approved = تمّ الاتفاق مع { $merchant }. لا يوجد شيء آخر تفعله هنا.
decided-refused = رُفض الاتفاق مع { $merchant }. لا يوجد شيء آخر تفعله هنا.
unknown-title = لا يوجد شيء هنا
unknown-text = هذا الرابط لا يعود إلى أي طلب مفتوح. ارجع إلى التاجر وابدأ من جديد.
unavailable-title = حاول مرة أخرى
unavailable-text = تعذّر على المحفظة أن تجيب الآن. افتح الرابط مرة أخرى بعد قليل؛ وإن كان القرار قد اتُّخذ فسترى ذلك.
back-to-merchant = المتابعة إلى { $merchant }
bridge-refused = رفض المستخدم.
bridge-network = تعذّر الاتصال بالشبكة.
bridge-not-signed = لم يُوقَّع الاتفاق.
bridge-unknown = النتيجة غير معروفة؛ ربما تمّ التوقيع.

## From a PC to a phone

handover-heading = أو قرّر على هاتفك
handover-how = امسح هذا الرمز بهاتفك، ثم يطلب الهاتف منك الرقم المكتوب هنا.
handover-alt = رمز استجابة سريعة يفتح هذا الطلب على هاتفك
handover-number = الرقم
handover-taken = الطلب الآن على هاتفك. قرّر هناك، ثم تتابع هذه الصفحة من تلقاء نفسها.
handover-dead = أُدخل رقم خاطئ مرات كثيرة على هاتف، فأُغلق الرمز. ما زال بإمكانك أن تقرّر هنا.
handover-continue = قرّرتُ على هاتفي: متابعة
scan-title = طلب من { $merchant }
scan-opened = فُتح هذا الطلب على حاسوب في { $time }.
scan-from = من { $browser } على { $system }، من العنوان { $address }.
scan-from-device = من { $device }، من العنوان { $address }.
scan-from-address = من العنوان { $address }.
scan-not-you = إن لم تكن أنت من فتحه فأغلق هذه الصفحة: فقد يريد أحد أن تدفع عنه.
scan-number = الرقم الذي يظهر على الحاسوب
scan-go = متابعة
scan-wrong = هذا رقم آخر. المحاولات المتبقية: { $left }.
scan-unreadable = اكتب الرقمين اللذين يظهران على الحاسوب.
scan-asked = أرسلت { $merchant } هذا الطلب في { $time }.
scan-direct = لا تتابع إلا إذا كنت قد بدأته بنفسك عند { $merchant }.
scan-dead-title = هذا الرمز مغلق
scan-dead-text = أُدخل رقم خاطئ مرات كثيرة. قرّر على الحاسوب، أو ابدأ من جديد عند { $merchant }.
handed-approved = يعود الحاسوب الآن إلى { $merchant } من تلقاء نفسه. يمكنك إغلاق هذه الصفحة.
handed-refused = يعود الحاسوب الآن إلى { $merchant } من تلقاء نفسه. يمكنك إغلاق هذه الصفحة؛ ولم يُسحب أي مبلغ.

## Messages about debits

message-paid-title = تمّ الدفع: { $amount } إلى { $merchant }
message-paid = سحبت { $merchant } مبلغ { $amount } من محفظتك في { $time } بموجب الاتفاق بينكما.
message-declined-title = لم يتمّ الدفع: { $amount } إلى { $merchant }
message-declined = طلبت { $merchant } مبلغ { $amount } من محفظتك في { $time }. رُفضت العملية ولم يُسحب أي مبلغ.
message-payment-id = رقم العملية: { $payment }
message-stop = لإيقاف المدفوعات إلى { $merchant }، أنهِ الاتفاق من المحفظة أو عند التاجر.
reason-balance = السبب: رصيد محفظتك غير كافٍ.
reason-account = السبب: لا يوجد في محفظتك حساب بهذه العملة.
reason-limit = السبب: بلغت العملية حدًّا من حدود هذا الاتفاق أو من حدود محفظتك.
reason-paused = السبب: الاتفاق موقوف مؤقتًا.
reason-agreement = السبب: لم يعد الاتفاق ساريًا.
reason-user = السبب: لا يمكن لمحفظتك إجراء مدفوعات حاليًا. تواصل معنا.
reason-risk = السبب: بدت العملية غير معتادة فأوقفناها حمايةً لك.
reason-order = السبب: انتهت مدة الطلب أو أُلغي.
reason-merchant = السبب: تعذّر تنفيذ طلب التاجر.

## Home, and paths that lead nowhere

home-title = ‏accord، محفظة تحفظ الاتفاقات
home-what = ‏accord هي جانب المحفظة في مدفوعات الاتفاق: توافق مرة واحدة مع تاجر، ولا تحتاج المدفوعات اللاحقة إلى خطوة منك.
home-how = يطلب التجار عبر واجهة موقّعة، وتقرّر أنت في صفحتنا، ونخبرك بعد كل عملية دفع.
home-sandbox = هذه بيئة تجريبية: المستخدمون والأموال والتجار فيها غير حقيقيين.
home-demo = جرّبها مع التاجر التجريبي
not-found-title = الصفحة غير موجودة
not-found-text = لا توجد صفحة في هذا العنوان.

## The demo merchant

demo-title = التاجر التجريبي
demo-lead = تاجر لتجربة مدفوعات الاتفاق خطوة بخطوة. المحفظة في { $url }، وكل ما بينهما موقّع ويمرّ عبر HTTP.
demo-qi = برنامج Qi المصغّر
demo-alipay-plus = ‏Alipay+‎ والخصم التلقائي
demo-qi-what = يطلب البرنامج المصغّر اتفاقًا بالاستدعاء qicardSignContract ويتسلّم الرمز في دالة الرد.
demo-alipay-plus-what = يرسل التاجر المتصفح إلى صفحة المحفظة ويتسلّم الرمز في العنوان الذي يعود إليه.
demo-start = ابدأ
demo-step-prepare = ١. طلب اتفاق
demo-step-prepare-what = يقترح التاجر الاتفاق، وتجيب المحفظة بعنوان صفحتها.
demo-step-open = ٢. قرار المستخدم
demo-step-open-qi-what = يفتح البرنامج المصغّر صفحة المحفظة كاملة. سجّل الدخول بأحد هؤلاء المستخدمين وقرّر؛ تتسلّم دالة الرد رمزًا أو خطأ.
demo-step-open-alipay-plus-what = ينتقل المتصفح إلى صفحة المحفظة. سجّل الدخول بأحد هؤلاء المستخدمين وقرّر؛ تعيد المحفظة المتصفح ومعه رمز أو من دونه.
demo-user-about = الحساب
demo-open-page = افتح صفحة المحفظة
demo-no-script = من دون برامج نصية لا يعمل my.call: افتح الصفحة من الرابط أدناه، وانسخ ما يلي authCode= في العنوان الذي تعود إليه.
demo-give-up = أغلق المستخدم الصفحة (6001)
demo-use-code = استخدم هذا الرمز
demo-needs-prepare = نفّذ الخطوة الأولى قبل هذه.
demo-step-token = ٣. استبدال الرمز
demo-step-token-what = يستبدل التاجر بالرمز رمز وصول ورمز تجديد.
demo-step-pay = ٤. سحب مبلغ
demo-step-pay-what = يسحب التاجر من حساب المستخدم برمز الوصول. لا يفعل المستخدم شيئًا، ويُخبَر بالنتيجة.
demo-amount = المبلغ بأصغر وحدة (25000000 تساوي ٢٥٬٠٠٠ دينار)
demo-currency = العملة
demo-step-inquiry = ٥. السؤال عن النتيجة
demo-step-inquiry-what = يسأل التاجر عن نتيجة آخر عملية دفع.
demo-step-refresh = ٦. تجديد الرموز
demo-step-refresh-what = يستبدل التاجر برمز التجديد زوجًا جديدًا.
demo-step-cancel = ٧. إنهاء الاتفاق
demo-step-cancel-what = ينهي التاجر الاتفاق. بعد ذلك تفشل الخطوة الرابعة.
demo-cancelled = انتهى الاتفاق.
demo-step-login = تسجيل الدخول
demo-step-login-what = يسأل البرنامج المصغر من هو مستخدمه: يعطيه my.getAuthCode رمزا، فيستبدله التاجر ويطلب بيانات المستخدم. لا يمكن السحب به.
demo-step-consult = عندما ينهيه المستخدم
demo-step-consult-what = قبل أن ينهي المستخدم الاتفاق في المحفظة، تسأل المحفظة هذا التاجر. بماذا يجيب؟
demo-consult-set = أجب هكذا
demo-step-reset = البدء من جديد
demo-step-reset-what = ينسى التاجر التجريبي كل ما لديه. المحفظة لا تنسى.
demo-wire = على الشبكة
demo-notifications = الإشعارات المستلمة
demo-messages = رسائل المستخدم
demo-nothing-yet = لا شيء بعد.
demo-request = الطلب
demo-reply = الرد
demo-no-reply = لا يوجد رد.
demo-signed-content = المحتوى الموقّع بالضبط
demo-raw-body = النص كما أُرسل
demo-signature-made = موقّع من التاجر التجريبي
demo-signature-verified = توقيع المحفظة: تمّ التحقق منه
demo-signature-wrong = لم يُقبل التوقيع: { $reason }

message-refund-title = استرداد { $amount } من { $merchant }
message-refund = أعاد { $merchant } إليك مبلغ { $amount } بتاريخ { $time }.
message-upcoming-title = سيسحب { $merchant } منك بتاريخ { $time }
message-upcoming = سيسحب { $merchant } مبلغ { $amount } من محفظتك بتاريخ { $time }.
message-upcoming-any = سيسحب { $merchant } من محفظتك بتاريخ { $time }.
message-ended-title = انتهى اتفاقك مع { $merchant }
message-ended-merchant = أنهى { $merchant } الاتفاق بتاريخ { $time }. لم يعد بإمكانه السحب منك.
message-ended-user = أنهيت الاتفاق مع { $merchant } بتاريخ { $time }. لم يعد بإمكانه السحب منك.
message-ended-wallet = أنهينا اتفاقك مع { $merchant } بتاريخ { $time }. لم يعد بإمكانه السحب منك.
message-code-title = رمزك لدى { $merchant }
message-code = { $code } هو رمزك لدى { $merchant }، صالح حتى { $time }. لا تعطه لأحد غيره.
message-from-merchant = { $merchant }: { $title }

## Messages that leave the wallet

mail-note = تصلك هذه الرسالة لأن لديك حسابًا في محفظتنا. لا نطلب رقمك السري في البريد الإلكتروني أبدًا.
sms-paid = تمّ دفع { $amount } إلى { $merchant }. رقم العملية { $payment }
sms-declined = لم يتمّ دفع { $amount } إلى { $merchant }. رقم العملية { $payment }
sms-refund = أعاد { $merchant } إليك { $amount }. رقم العملية { $payment }
sms-upcoming = سيسحب { $merchant } مبلغ { $amount } من محفظتك بتاريخ { $time }.
sms-upcoming-any = سيسحب { $merchant } من محفظتك بتاريخ { $time }.
sms-ended = انتهى اتفاقك مع { $merchant }. لم يعد بإمكانه السحب منك.
sms-ended-user = أنهيت اتفاقك مع { $merchant }. لم يعد بإمكانه السحب منك.
sms-code = { $code } هو رمزك لدى { $merchant }. لا تعطه لأحد غيره.
