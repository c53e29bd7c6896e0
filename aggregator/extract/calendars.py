"""Data: how languages name months, eras and halves of a day. No logic.

`MONTHS`   language -> the twelve names as they stand in a date, in calendar order; a line more for other names
`SOLAR`    the months of Iran's and Afghanistan's calendar, which begins in March
`WEEKDAYS` language -> the names of the days; only needed where capitals make a name look like one of a person
`SHORT`    abbreviations that are not the beginning of a name
`ERAS`     era -> what to add to its years
`MORNING`, `AFTERNOON`   what stands beside a time of day

Names are looked up without accents and in lower case; the first letters of one are enough ("Sept", "ноем"), unless two
languages mean different months by them: then it is the one that more of them mean, and of whole names the first here
(Croatian is last for its "listopada", October, which is November in Polish). To teach a language, add its line.
"""

from __future__ import annotations

MONTHS: dict[str, tuple[str, ...]] = {
    "ar": (
        "يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر",
        "جانفي فيفري مارس أفريل ماي جوان جويلية أوت سبتمبر أكتوبر نوفمبر ديسمبر",
        "كانون-الثاني شباط آذار نيسان أيار حزيران تموز آب أيلول تشرين-الأول تشرين-الثاني كانون-الأول",
        "يناير فبراير مارس أبريل مايو يونيه يوليه غشت شتنبر أكتوبر نونبر دجنبر",
    ),
    "az": ("yanvar fevral mart aprel may iyun iyul avqust sentyabr oktyabr noyabr dekabr",),
    "be": ("студзеня лютага сакавіка красавіка мая чэрвеня ліпеня жніўня верасня кастрычніка лістапада снежня",),
    "bg": ("януари февруари март април май юни юли август септември октомври ноември декември",),
    "bn": ("জানুয়ারি ফেব্রুয়ারি মার্চ এপ্রিল মে জুন জুলাই আগস্ট সেপ্টেম্বর অক্টোবর নভেম্বর ডিসেম্বর",),
    "ca": ("gener febrer març abril maig juny juliol agost setembre octubre novembre desembre",),
    "cs": (
        "ledna února března dubna května června července srpna září října listopadu prosince",
        "leden únor březen duben květen červen červenec srpen září říjen listopad prosinec",
    ),
    "da": ("januar februar marts april maj juni juli august september oktober november december",),
    "de": (
        "januar februar märz april mai juni juli august september oktober november dezember",
        "jänner feber maerz april mai juni juli august september oktober november dezember",
    ),
    "el": (
        "ιανουαρίου φεβρουαρίου μαρτίου απριλίου μαΐου ιουνίου ιουλίου αυγούστου σεπτεμβρίου οκτωβρίου νοεμβρίου "
        "δεκεμβρίου",
        "ιανουάριος φεβρουάριος μάρτιος απρίλιος μάιος ιούνιος ιούλιος αύγουστος σεπτέμβριος οκτώβριος νοέμβριος "
        "δεκέμβριος",
    ),
    "en": ("january february march april may june july august september october november december",),
    "es": ("enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",),
    "et": ("jaanuar veebruar märts aprill mai juuni juuli august september oktoober november detsember",),
    "fa": (
        "ژانویه فوریه مارس آوریل مه ژوئن ژوئیه اوت سپتامبر اکتبر نوامبر دسامبر",
        "ژانویه فوریه مارس آوریل می ژوئن جولای آگوست سپتامبر اکتبر نوامبر دسامبر",
    ),
    "fi": (
        "tammikuuta helmikuuta maaliskuuta huhtikuuta toukokuuta kesäkuuta heinäkuuta elokuuta syyskuuta lokakuuta "
        "marraskuuta joulukuuta",
    ),
    "fr": ("janvier février mars avril mai juin juillet août septembre octobre novembre décembre",),
    "gl": ("xaneiro febreiro marzo abril maio xuño xullo agosto setembro outubro novembro decembro",),
    "he": (
        "ינואר פברואר מרץ אפריל מאי יוני יולי אוגוסט ספטמבר אוקטובר נובמבר דצמבר",
        "בינואר בפברואר במרץ באפריל במאי ביוני ביולי באוגוסט בספטמבר באוקטובר בנובמבר בדצמבר",
    ),
    "hi": (
        "जनवरी फरवरी मार्च अप्रैल मई जून जुलाई अगस्त सितंबर अक्टूबर नवंबर दिसंबर",
        "जनवरी फ़रवरी मार्च अप्रैल मई जून जुलाई अगस्त सितम्बर अक्तूबर नवम्बर दिसम्बर",
    ),
    "hu": ("január február március április május június július augusztus szeptember október november december",),
    "hy": ("հունվարի փետրվարի մարտի ապրիլի մայիսի հունիսի հուլիսի օգոստոսի սեպտեմբերի հոկտեմբերի նոյեմբերի "
           "դեկտեմբերի",),
    "id": ("januari februari maret april mei juni juli agustus september oktober november desember",),
    "is": ("janúar febrúar mars apríl maí júní júlí ágúst september október nóvember desember",),
    "it": ("gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",),
    "ka": ("იანვარი თებერვალი მარტი აპრილი მაისი ივნისი ივლისი აგვისტო სექტემბერი ოქტომბერი ნოემბერი დეკემბერი",),
    "kk": ("қаңтар ақпан наурыз сәуір мамыр маусым шілде тамыз қыркүйек қазан қараша желтоқсан",),
    "lt": ("sausio vasario kovo balandžio gegužės birželio liepos rugpjūčio rugsėjo spalio lapkričio gruodžio",),
    "lv": ("janvāris februāris marts aprīlis maijs jūnijs jūlijs augusts septembris oktobris novembris decembris",),
    "mk": ("јануари февруари март април мај јуни јули август септември октомври ноември декември",),
    "mr": ("जानेवारी फेब्रुवारी मार्च एप्रिल मे जून जुलै ऑगस्ट सप्टेंबर ऑक्टोबर नोव्हेंबर डिसेंबर",),
    "ms": ("januari februari mac april mei jun julai ogos september oktober november disember",),
    "nl": ("januari februari maart april mei juni juli augustus september oktober november december",),
    "pl": (
        "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
        "styczeń luty marzec kwiecień maj czerwiec lipiec sierpień wrzesień październik listopad grudzień",
    ),
    "pt": ("janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",),
    "ro": ("ianuarie februarie martie aprilie mai iunie iulie august septembrie octombrie noiembrie decembrie",),
    "ru": (
        "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
        "январь февраль март апрель май июнь июль август сентябрь октябрь ноябрь декабрь",
    ),
    "sk": ("januára februára marca apríla mája júna júla augusta septembra októbra novembra decembra",),
    "sl": ("januarja februarja marca aprila maja junija julija avgusta septembra oktobra novembra decembra",),
    "sq": ("janar shkurt mars prill maj qershor korrik gusht shtator tetor nëntor dhjetor",),
    "sr": (
        "januar februar mart april maj jun jul avgust septembar oktobar novembar decembar",
        "јануар фебруар март април мај јун јул август септембар октобар новембар децембар",
    ),
    "sv": ("januari februari mars april maj juni juli augusti september oktober november december",),
    "sw": ("januari februari machi aprili mei juni julai agosti septemba oktoba novemba desemba",),
    "ta": ("ஜனவரி பிப்ரவரி மார்ச் ஏப்ரல் மே ஜூன் ஜூலை ஆகஸ்ட் செப்டம்பர் அக்டோபர் நவம்பர் டிசம்பர்",),
    "th": (
        "มกราคม กุมภาพันธ์ มีนาคม เมษายน พฤษภาคม มิถุนายน กรกฎาคม สิงหาคม กันยายน ตุลาคม พฤศจิกายน ธันวาคม",
        "ม.ค ก.พ มี.ค เม.ย พ.ค มิ.ย ก.ค ส.ค ก.ย ต.ค พ.ย ธ.ค",
    ),
    "tl": ("enero pebrero marso abril mayo hunyo hulyo agosto setyembre oktubre nobyembre disyembre",),
    "tr": ("ocak şubat mart nisan mayıs haziran temmuz ağustos eylül ekim kasım aralık",),
    "uk": (
        "січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня",
        "січень лютий березень квітень травень червень липень серпень вересень жовтень листопад грудень",
    ),
    "ur": ("جنوری فروری مارچ اپریل مئی جون جولائی اگست ستمبر اکتوبر نومبر دسمبر",),
    "hr": (
        "siječnja veljače ožujka travnja svibnja lipnja srpnja kolovoza rujna listopada studenoga prosinca",
        "siječanj veljača ožujak travanj svibanj lipanj srpanj kolovoz rujan listopad studenog prosinac",
    ),
}  # fmt: skip

SOLAR = (
    "فروردین اردیبهشت خرداد تیر مرداد شهریور مهر آبان آذر دی بهمن اسفند",
    "حمل ثور جوزا سرطان اسد سنبله میزان عقرب قوس جدی دلو حوت",
)

WEEKDAYS = {
    "cs": "pondělí úterý středa čtvrtek pátek sobota neděle",
    "da": "mandag tirsdag onsdag torsdag fredag lørdag søndag",
    "de": "montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag mo di mi do fr sa so",
    "el": "δευτέρα τρίτη τετάρτη πέμπτη παρασκευή σάββατο κυριακή",
    "en": "monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri sat sun",
    "es": "lunes martes miércoles jueves viernes sábado domingo",
    "fi": "maanantai tiistai keskiviikko torstai perjantai lauantai sunnuntai",
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche",
    "hu": "hétfő kedd szerda csütörtök péntek szombat vasárnap",
    "id": "senin selasa rabu kamis jumat sabtu minggu",
    "it": "lunedì martedì mercoledì giovedì venerdì sabato domenica",
    "nl": "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag",
    "pl": "poniedziałek wtorek środa czwartek piątek sobota niedziela",
    "pt": "segunda-feira terça-feira quarta-feira quinta-feira sexta-feira segunda terça quarta quinta sexta",
    "ro": "luni marți miercuri joi vineri sâmbătă duminică",
    "ru": "понедельник вторник среда четверг пятница суббота воскресенье",
    "sv": "måndag tisdag onsdag torsdag fredag lördag söndag",
    "tr": "pazartesi salı çarşamba perşembe cuma cumartesi pazar",
    "uk": "понеділок вівторок середа четвер п'ятниця субота неділя",
}

SHORT = {"agt": 8, "mrt": 3, "mrz": 3}

ERAS = {"令和": 2018, "平成": 1988, "民國": 1911, "民国": 1911}

MORNING = ("am", "오전", "上午", "午前", "凌晨", "早上", "ص", "πμ")
AFTERNOON = ("pm", "오후", "下午", "午後", "晚上", "م", "μμ")
